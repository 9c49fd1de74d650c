import type { Sender } from '../notification.ts';
import { objectIn, repositoryNamed, tagNamed, textIn } from '../payload.ts';

/** Amazon ECR, through EventBridge. https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html */
export const ecr: Sender = {
  name: 'Amazon ECR',
  recognises: ({ payload }) => payload['source'] === 'aws.ecr',
  read({ payload }) {
    // The others are scans and replications.
    if (payload['detail-type'] !== 'ECR Image Action') return [];
    const detail = objectIn(payload, 'detail');
    if (detail['result'] !== 'SUCCESS') return [];
    return [{ repository: repositoryNamed(textIn(detail, 'repository-name')), tag: tagNamed(detail['image-tag']) }];
  },
};

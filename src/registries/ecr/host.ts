/** What the host name of a private registry of Amazon's says. */
export interface EcrHost {
  /** The account that has the registry. */
  readonly account: string;
  readonly region: string;
  readonly isFips: boolean;
  /** Reached over IPv4 and IPv6. */
  readonly isDualStack: boolean;
}

/**
 * Null for a host that is none of these. 123456789012.dkr.ecr.eu-west-1.amazonaws.com, with ecr-fips, in China
 * (amazonaws.com.cn), and over both protocols (123456789012.dkr-ecr.eu-west-1.on.aws).
 * https://docs.aws.amazon.com/general/latest/gr/ecr.html
 */
export function parseEcrHost(hostname: string): EcrHost | null {
  const found = ECR_HOST.exec(hostname);
  if (found === null) return null;
  const [, account = '', fips, region = '', domain = ''] = found;
  return { account, region, isFips: fips !== undefined, isDualStack: domain.startsWith('on.') };
}

const ECR_HOST =
  /^(\d{12})\.dkr[.-]ecr(-fips)?\.([a-z0-9-]{1,40})\.(amazonaws\.com|amazonaws\.com\.cn|on\.aws|on\.amazonwebservices\.com\.cn)$/;

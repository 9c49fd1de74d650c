import { createHmac } from 'node:crypto';
import type { RegistryHost } from '../../src/domain/reference.ts';
import { isReadable, isSigned, isSignedWith, provesItself, readNotification } from '../../src/hooks/index.ts';
import { describeSamples, sample } from '../support/samples.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** As `repository:tag`, a tag that is not named as `*`. */
function mentionsOf(payload: unknown, headers: Record<string, string> = JSON_TYPE, host = 'registry.example.com') {
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
  return readNotification({ host: host as RegistryHost, headers, body }).map(
    ({ repository, tag }) => `${repository}:${tag ?? '*'}`,
  );
}

const gitea = { ...JSON_TYPE, 'x-gitea-event': 'package', 'x-github-event': 'package' };
const github = { ...JSON_TYPE, 'x-github-event': 'registry_package' };
const cloudEvent = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const distribution = { 'content-type': 'application/vnd.docker.distribution.events.v2+json' };

describeSamples('what senders were seen to send', () => {
  test.each<[string, string[], Record<string, string>?, string?]>([
    ['acr-webhook-push.json', ['hello-world:v1']],
    ['artifactory-webhook.json', ['docker-remote-cache/library/ubuntu:latest', 'library/ubuntu:latest']],
    ['artifactory-webhook.json', ['library/ubuntu:latest'], JSON_TYPE, 'docker-remote-cache.example.jfrog.io'],
    ['distribution-notification-mixed.json', ['foo/bar:*', 'foo/bar:1.6.0', 'foo/bar:*', 'foo/gone:*'], distribution],
    ['distribution-notification.json', ['foo/bar:1.6.1'], { 'content-type': 'application/octet-stream' }],
    ['dockerhub-webhook.json', ['karolisr/keel:0.1.7'], JSON_TYPE, 'docker.io'],
    ['ecr-eventbridge.json', ['my-repository-name:latest']],
    ['gar-pubsub-push.json', ['example-project/images/app:1.0'], JSON_TYPE, 'us-docker.pkg.dev'],
    ['gar-pubsub-push.json', [], JSON_TYPE, 'europe-docker.pkg.dev'],
    ['ghcr-webhook-registry-package.json', ['codertocat/hello-world:*'], github],
    ['gitea-package-webhook.json', ['example/team/app:1.2.0'], gitea],
    ['harbor-webhook-cloudevents.json', [], cloudEvent],
    ['harbor-webhook-push.json', ['library/ai-rag:1.2.3']],
    ['quay-webhook.json', ['mynamespace/repository:1.2.3']],
  ])('%s is about %j', (name, mentions, headers = JSON_TYPE, host = undefined) => {
    expect(mentionsOf(sample(name), headers, host)).toEqual(mentions);
  });

  test.each([
    ['acr-webhook-push.json', JSON_TYPE],
    ['artifactory-webhook.json', JSON_TYPE],
    ['distribution-notification.json', distribution],
    ['dockerhub-webhook.json', JSON_TYPE],
    ['ecr-eventbridge.json', JSON_TYPE],
    ['gar-pubsub-push.json', JSON_TYPE],
    ['ghcr-webhook-registry-package.json', github],
    ['gitea-package-webhook.json', gitea],
    ['harbor-webhook-push.json', JSON_TYPE],
    ['quay-webhook.json', JSON_TYPE],
  ])('%s is refused where it is cut off, is a list, or lacks its repository', (name, headers) => {
    const text = sample(name).toString();
    expect(() => mentionsOf(Buffer.from(text.slice(0, -5)), headers)).toThrow('the notification is not JSON');
    expect(() => mentionsOf(Buffer.from(`[${text}]`), headers)).toThrow('the notification is not a JSON object');
    const renamed = text.replaceAll(
      /"(repository|repo_name|repo_full_name|repository-name|name|data|image_name|login)":/g,
      '"x":',
    );
    expect(() => mentionsOf(Buffer.from(renamed), headers)).toThrow(/^the notification has no/);
  });
});

describe('quirks', () => {
  const ghcr = (tag: string, version = {}) => ({
    action: 'published',
    registry_package: {
      name: 'app/web',
      package_type: 'docker',
      owner: { login: 'Some-Org' },
      package_version: { container_metadata: { tag: { name: tag, digest: `sha256:${'1'.repeat(40)}` } }, ...version },
    },
  });

  test('GitHub pushes what an image consists of without a tag, and digests that are none', () => {
    expect(mentionsOf(ghcr(''), github)).toEqual(['some-org/app/web:*']);
    expect(mentionsOf(ghcr('1.2'), github)).toEqual(['some-org/app/web:1.2']);
  });

  test('GitHub sends the same as `package`, pings, and packages of other kinds', () => {
    const { registry_package: container } = ghcr('1.2');
    const asPackage = { ...github, 'x-github-event': 'package' };
    expect(mentionsOf({ package: container }, asPackage)).toEqual(['some-org/app/web:1.2']);
    expect(mentionsOf({ zen: 'Keep it logically awesome.' }, { ...github, 'x-github-event': 'ping' })).toEqual([]);
    expect(mentionsOf({ registry_package: { ...container, package_type: 'npm' } }, github)).toEqual([]);
  });

  test('Gitea posts forms, and digests as versions', () => {
    const pushed = { type: 'container', owner: { login: 'Team' }, name: 'app', version: `sha256:${'a'.repeat(64)}` };
    const form = Buffer.from(new URLSearchParams({ payload: JSON.stringify({ package: pushed }) }).toString());
    const type = 'application/x-www-form-urlencoded; charset=UTF-8';
    expect(mentionsOf(form, { ...gitea, 'content-type': type })).toEqual(['team/app:*']);
    expect(mentionsOf({ package: { ...pushed, type: 'npm' } }, gitea)).toEqual([]);
    expect(() => mentionsOf(Buffer.from('a=b'), { ...gitea, 'content-type': type })).toThrow(
      'the notification is a form without a payload',
    );
  });

  test.each(['x-gitea-event', 'x-forgejo-event'])('%s that is no package changes nothing', (name) => {
    expect(
      mentionsOf({ ref: 'refs/heads/main' }, { ...JSON_TYPE, [name]: 'push', 'x-github-event': 'package' }),
    ).toEqual([]);
  });

  test.each(['PUSH_ARTIFACT', 'DELETE_ARTIFACT', 'pushImage', 'deleteImage'])(
    "Harbor's %s names a digest where it was pushed by digest",
    (type) => {
      const resources = [{ tag: `sha256:${'d'.repeat(64)}` }, { tag: 'v1' }];
      const event_data = { resources, repository: { repo_full_name: 'library/app' } };
      expect(mentionsOf({ type, event_data })).toEqual(['library/app:*', 'library/app:v1']);
      expect(mentionsOf({ type: 'SCANNING_COMPLETED', event_data })).toEqual([]);
    },
  );

  test("Harbor's CloudEvents tell of pushes, too", () => {
    const data = { resources: [{ tag: 'v1' }], repository: { repo_full_name: 'library/app' } };
    expect(mentionsOf({ specversion: '1.0', type: 'harbor.artifact.pushed', data }, cloudEvent)).toEqual([
      'library/app:v1',
    ]);
  });

  test.each([
    ['zotregistry.image.updated', ['app:1.0']],
    ['zotregistry.image.deleted', ['app:1.0']],
    ['zotregistry.image.lint_failed', []],
    ['zotregistry.repository.created', []],
  ])("zot's %s is about %j, whether its type is in a header or beside its data", (type, mentions) => {
    const data = { name: 'app', reference: '1.0', digest: `sha256:${'a'.repeat(64)}`, manifest: '{}' };
    expect(mentionsOf(data, { ...JSON_TYPE, 'ce-type': type, 'ce-specversion': '1.0' })).toEqual(mentions);
    expect(mentionsOf({ specversion: '1.0', type, data }, cloudEvent)).toEqual(mentions);
  });

  test("Nexus tells of a component, under its name alone and under its repository's", () => {
    const headers = { ...JSON_TYPE, 'x-nexus-webhook-id': 'rm:repository:component' };
    const component = { format: 'docker', name: 'team/app', version: '1.0' };
    const body = { timestamp: '2026-08-20T10:00:00.000+0000', repositoryName: 'docker-hosted', action: 'CREATED' };
    expect(mentionsOf({ ...body, component }, headers)).toEqual(['team/app:1.0', 'docker-hosted/team/app:1.0']);
    expect(mentionsOf({ ...body, component: { ...component, format: 'npm' } }, headers)).toEqual([]);
    expect(mentionsOf({ ...body, asset: { format: 'docker' } }, headers)).toEqual([]);
  });

  test.each([
    ['pull', 'application/vnd.oci.image.manifest.v1+json', 0],
    ['mount', 'application/octet-stream', 0],
    ['push', 'application/octet-stream', 0],
    ['push', 'application/vnd.oci.image.config.v1+json', 0],
    ['push', 'application/vnd.docker.distribution.manifest.v1+prettyjws', 1],
    ['push', 'application/vnd.oci.image.index.v1+json', 1],
    ['delete', undefined, 1],
    // GitLab has more of them.
    ['rename', undefined, 1],
  ])('an event of the distribution registry, %s of %s, names %i repositories', (action, mediaType, count) => {
    const events = [{ action, target: { repository: 'foo/bar', digest: `sha256:${'a'.repeat(64)}`, mediaType } }];
    expect(mentionsOf({ events }, distribution)).toHaveLength(count);
  });

  test('an envelope of nothing changes nothing, and one of very many events is refused', () => {
    expect(mentionsOf({ events: null }, distribution)).toEqual([]);
    const events = Array.from({ length: 10_000 }, () => ({ action: 'pull' }));
    expect(() => mentionsOf({ events }, distribution)).toThrow('"events" has 10000 entries, more than 1000');
  });

  test.each(['ping', 'quarantine', 'chart_push', 'chart_delete'])('%s of Azure changes nothing', (action) => {
    expect(mentionsOf({ id: 'x', timestamp: '2017-11-17T16:52:01.343145347Z', action })).toEqual([]);
  });

  test('a deletion in Azure names no tag', () => {
    const target = { repository: 'hello-world', digest: `sha256:${'a'.repeat(64)}` };
    expect(mentionsOf({ id: 'x', timestamp: 'then', action: 'delete', target })).toEqual(['hello-world:*']);
  });

  test('Docker Hub names official images without their namespace, and its times may be fractions', () => {
    const push_data = { pushed_at: 1417566161.25, tag: 'latest' };
    expect(mentionsOf({ push_data, repository: { repo_name: 'nginx' } })).toEqual(['library/nginx:latest']);
  });

  test("Quay's scans and older ways to say what was pushed", () => {
    const base = { repository: 'ns/app', docker_url: 'quay.io/ns/app' };
    expect(mentionsOf({ ...base, updated_tags: { latest: 'an image id' } })).toEqual(['ns/app:latest']);
    expect(mentionsOf({ ...base, tags: ['latest'], vulnerability: { id: 'CVE' } })).toEqual([]);
  });

  test('Artifact Registry sends what was deleted, digests, the message alone, and messages of others', () => {
    const wrapped = (data: object) => ({ message: { data: Buffer.from(JSON.stringify(data)).toString('base64') } });
    const tell = (payload: object) => mentionsOf(payload, JSON_TYPE, 'us-docker.pkg.dev');
    const digest = `us-docker.pkg.dev/p/r/img@sha256:${'a'.repeat(64)}`;
    expect(tell(wrapped({ action: 'DELETE', tag: 'us-docker.pkg.dev/p/r/img:1.0' }))).toEqual(['p/r/img:1.0']);
    expect(tell(wrapped({ action: 'INSERT', digest }))).toEqual(['p/r/img:*']);
    expect(tell({ action: 'INSERT', digest })).toEqual(['p/r/img:*']);
    expect(tell(wrapped({ name: 'projects/p/notes/n', kind: 'DISCOVERY' }))).toEqual([]);
    expect(() => tell({ message: { data: '{"action":"INSERT"}' } })).toThrow(`the message's "data" is not base64`);
    expect(() => tell({ message: { data: 'aGVsbG8=' } })).toThrow(`the message's "data" is not JSON`);
    expect(() => tell({ message: { messageId: '1' } })).toThrow('the notification has no text as "data"');
  });

  test.each([
    ['PUSH', 'SUCCESS', 'ECR Image Action', ['app:*']],
    ['DELETE', 'SUCCESS', 'ECR Image Action', ['app:*']],
    ['PUSH', 'FAILURE', 'ECR Image Action', []],
    ['REPLICATE', 'SUCCESS', 'ECR Replication Action', []],
  ])("ECR's %s with %s as %s is about %j", (action, result, type, mentions) => {
    const detail = { 'action-type': action, result, 'repository-name': 'app' };
    expect(mentionsOf({ source: 'aws.ecr', 'detail-type': type, detail })).toEqual(mentions);
  });

  test('Artifactory tells of other things than images', () => {
    expect(mentionsOf({ domain: 'artifact', event_type: 'deployed', data: { repo_key: 'x', path: 'y' } })).toEqual([]);
  });

  test.each<[unknown, string]>([
    [{}, 'the notification has no form that is known here: those of Gitea, GitHub'],
    [{ events: {} }, '"events" is not a list'],
    [{ events: [null] }, 'the notification has no text as "action" where it should'],
    [
      { events: [{ action: 'push', target: { repository: '../etc', tag: 'v1' } }] },
      '"../etc" is not an image reference',
    ],
    [JSON.parse(`${'{"a":'.repeat(80)}1${'}'.repeat(80)}`), 'the notification is JSON nested more than 64 deep'],
  ])('%j is refused', (payload, message) => {
    expect(() => mentionsOf(payload)).toThrow(message);
  });
});

describe('who sent it', () => {
  const secret = 'a secret that/holds+signs';
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

  test.each<[string, Record<string, string>]>([
    ['a bearer token', { authorization: `Bearer ${secret}` }],
    ['the password of any user', basic(`whoever:${secret}`)],
    ['the whole header, as Harbor has it', { authorization: secret }],
    ["JFrog's header", { 'x-jfrog-event-auth': secret }],
    ['a key', { 'x-api-key': secret }],
  ])('is shown by the secret as %s', (_, headers) => {
    expect(provesItself(secret, null, headers)).toBe(true);
    expect(provesItself(`${secret}x`, null, headers)).toBe(false);
  });

  test('is shown by the secret in the address, whatever else is sent', () => {
    expect(provesItself(secret, secret, { authorization: 'Bearer a.signed.token' })).toBe(true);
    expect(provesItself(secret, `${secret} `, {})).toBe(false);
    expect(provesItself(secret, '', {})).toBe(false);
  });

  test.each(['', 'Bearer', 'Basic', 'Basic !!!', 'Bearer  ', `Digest ${secret}`])('is not shown by "%s"', (text) => {
    expect(provesItself(secret, null, { authorization: text })).toBe(false);
  });

  test.each([
    ['x-hub-signature-256', 'sha256', 'sha256='],
    ['x-gitea-signature', 'sha256', ''],
    ['x-forgejo-signature', 'sha256', ''],
    ['x-jfrog-event-auth', 'sha256', ''],
    ['x-nexus-webhook-signature', 'sha1', ''],
  ])('is shown by a signature in %s', (header, algorithm, prefix) => {
    const body = Buffer.from('{"a":1}');
    const signed = { [header]: prefix + createHmac(algorithm, secret).update(body).digest('hex') };
    expect([isSigned(signed), isSignedWith(secret, signed, body)]).toEqual([true, true]);
    expect(isSignedWith(secret, signed, Buffer.from('{"a":2}'))).toBe(false);
    expect(isSignedWith('another secret', signed, body)).toBe(false);
    expect(isSigned({ [header]: prefix })).toBe(false);
  });

  test("is shown by a signature over a form's payload, or over the form", () => {
    const payload = '{"package":{}}';
    const body = Buffer.from(new URLSearchParams({ payload }).toString());
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const text of [payload, body]) {
      const hex = createHmac('sha256', secret).update(text).digest('hex');
      expect(isSignedWith(secret, { ...form, 'x-gitea-signature': hex }, body)).toBe(true);
    }
    // Nobody is told what is wrong with a form before that is known.
    expect(isSignedWith(secret, { ...form, 'x-gitea-signature': 'ab' }, Buffer.from('a=1'))).toBe(false);
  });
});

test.each<[string | undefined, boolean]>([
  ['application/json', true],
  ['application/json; charset=utf-8', true],
  ['Application/CloudEvents+JSON', true],
  ['application/vnd.docker.distribution.events.v1+json', true],
  ['application/octet-stream', true],
  ['application/x-www-form-urlencoded', true],
  ['text/plain;charset=UTF-8', true],
  [undefined, true],
  ['application/xml', false],
  ['multipart/form-data; boundary=x', false],
])('a body of the type %s may be a notification: %s', (type, expected) => {
  expect(isReadable(type)).toBe(expected);
});

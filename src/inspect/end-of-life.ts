/**
 * The last day on which a release of a distribution gets security fixes from those who make it, without what is sold
 * beyond that. Null where it is not known: rolling releases have none.
 */
export function endOfLifeOf(id: string, versionId: string | null): Date | null {
  const releases = END_OF_LIFE[id];
  if (releases === undefined || versionId === null) return null;
  // 3.20.3 is of 3.20, 9.4 is of 9, and 24.04 is a release itself.
  for (let version = versionId; version !== ''; version = version.slice(0, Math.max(version.lastIndexOf('.'), 0))) {
    const day = releases[version];
    if (day !== undefined) return new Date(`${day}T00:00:00Z`);
  }
  return null;
}

type Releases = Readonly<Record<string, string>>;

const ENTERPRISE_LINUX_7 = { '7': '2024-06-30' };

/**
 * State of 2025-12-01, from what the makers announce:
 * https://alpinelinux.org/releases/, https://wiki.debian.org/DebianReleases and https://wiki.debian.org/LTS,
 * https://ubuntu.com/about/release-cycle, https://access.redhat.com/support/policy/updates/errata,
 * https://www.centos.org/centos-linux-eol/, https://wiki.rockylinux.org/rocky/version/,
 * https://wiki.almalinux.org/release-notes/, https://docs.fedoraproject.org/en-US/releases/eol/,
 * https://aws.amazon.com/linux/, https://www.oracle.com/a/ocom/docs/elsp-lifetime-069338.pdf,
 * https://en.opensuse.org/Lifetime, https://www.suse.com/lifecycle,
 * https://github.com/vmware/photon/wiki/Photon-End-of-Life-Policy, https://learn.microsoft.com/lifecycle.
 * What has not been announced yet is missing.
 */
const END_OF_LIFE: Readonly<Record<string, Releases>> = {
  alpine: {
    '3.8': '2020-05-01',
    '3.9': '2020-11-01',
    '3.10': '2021-05-01',
    '3.11': '2021-11-01',
    '3.12': '2022-05-01',
    '3.13': '2022-11-01',
    '3.14': '2023-05-01',
    '3.15': '2023-11-01',
    '3.16': '2024-05-23',
    '3.17': '2024-11-22',
    '3.18': '2025-05-09',
    '3.19': '2025-11-01',
    '3.20': '2026-04-01',
    '3.21': '2026-11-01',
    '3.22': '2027-05-01',
  },
  // With long-term support.
  debian: {
    '7': '2018-05-31',
    '8': '2020-06-30',
    '9': '2022-06-30',
    '10': '2024-06-30',
    '11': '2026-08-31',
    '12': '2028-06-30',
    '13': '2030-06-30',
  },
  ubuntu: {
    '14.04': '2019-04-25',
    '16.04': '2021-04-30',
    '18.04': '2023-05-31',
    '20.04': '2025-05-31',
    '21.04': '2022-01-20',
    '21.10': '2022-07-14',
    '22.04': '2027-04-01',
    '22.10': '2023-07-20',
    '23.04': '2024-01-25',
    '23.10': '2024-07-11',
    '24.04': '2029-05-31',
    '24.10': '2025-07-10',
    '25.04': '2026-01-15',
  },
  rhel: { '6': '2020-11-30', ...ENTERPRISE_LINUX_7, '8': '2029-05-31', '9': '2032-05-31', '10': '2035-05-31' },
  // From 8 on its Stream, which ends before the release that it runs ahead of.
  centos: { '6': '2020-11-30', ...ENTERPRISE_LINUX_7, '8': '2024-05-31', '9': '2027-05-31', '10': '2030-05-31' },
  rocky: { '8': '2029-05-31', '9': '2032-05-31', '10': '2035-05-31' },
  almalinux: { '8': '2029-03-01', '9': '2032-05-31', '10': '2035-05-31' },
  fedora: {
    '35': '2022-12-13',
    '36': '2023-05-16',
    '37': '2023-12-05',
    '38': '2024-05-21',
    '39': '2024-11-26',
    '40': '2025-05-13',
    '41': '2025-12-15',
    '42': '2026-05-13',
  },
  amzn: { '2': '2026-06-30', '2018.03': '2023-12-31', '2023': '2029-06-30' },
  ol: { '6': '2021-03-31', '7': '2024-12-31', '8': '2029-07-31', '9': '2032-06-30' },
  'opensuse-leap': {
    '15.0': '2019-12-03',
    '15.1': '2021-02-02',
    '15.2': '2022-01-04',
    '15.3': '2022-12-31',
    '15.4': '2023-12-07',
    '15.5': '2024-12-31',
    '15.6': '2026-04-30',
  },
  sles: {
    '12.5': '2024-10-31',
    '15.1': '2021-01-31',
    '15.2': '2021-12-31',
    '15.3': '2022-12-31',
    '15.4': '2023-12-31',
    '15.5': '2024-12-31',
    '15.6': '2025-12-31',
    '15.7': '2031-07-31',
  },
  photon: { '1.0': '2022-02-28', '2.0': '2022-12-31', '3.0': '2024-03-01' },
  // By the number of the build.
  windows: {
    '10.0.14393': '2027-01-12',
    '10.0.17763': '2029-01-09',
    '10.0.20348': '2031-10-14',
    '10.0.26100': '2034-11-14',
  },
};

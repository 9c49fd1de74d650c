-- Of which types the packages of a set are, so that images are counted by them without looking at each package.
-- AlterTable
ALTER TABLE "package_set" ADD COLUMN "types" TEXT[];

-- Sets that were there before.
UPDATE "package_set" s
SET "types" = array(
  SELECT p.type FROM package_set_entry e JOIN package p ON p.id = e.package_id
  WHERE e.set_id = s.id GROUP BY p.type ORDER BY p.type
);

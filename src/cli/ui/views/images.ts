// Images as text and as JSON, in the predecessor's shapes. Pure.
import type { ListedImage } from '../../../image/image-list.ts';
import { oneLine } from '../../../printable.ts';
import { table } from '../table.ts';

export function imagesJson(images: readonly ListedImage[]): unknown {
  return images.map(({ fingerprint, aliases, sizeBytes, createdAt }) => ({
    fingerprint,
    aliases,
    size: sizeBytes,
    created_at: createdAt,
  }));
}

/** The images that coi's configuration names, and whether they exist. */
export function coiImagesText(known: readonly string[], images: readonly ListedImage[]): string[] {
  const there = new Set(images.flatMap(({ aliases }) => aliases));
  return [
    'Available Images:',
    '',
    'COI Images:',
    ...known.map((alias) =>
      there.has(alias) ? `  ✓ ${alias}` : `  ✗ ${alias} (not built, run: coi build)`,
    ),
  ];
}

export function allImagesText(images: readonly ListedImage[]): string[] {
  return ['', 'All Local Images:', ...imagesTable(images, 'UPLOAD DATE')];
}

export function prefixedImagesText(images: readonly ListedImage[], prefix: string): string[] {
  if (images.length === 0) return [`No images found with prefix '${oneLine(prefix)}'`];
  return imagesTable(images, 'CREATED');
}

function imagesTable(images: readonly ListedImage[], timeHeader: string): string[] {
  const rows = images.flatMap(({ aliases, fingerprint, sizeBytes, createdAt, uploadedAt }) =>
    (aliases.length > 0 ? aliases : [fingerprint.slice(0, 12)]).map((alias) => [
      oneLine(alias),
      `${(sizeBytes / 2 ** 20).toFixed(1)} MiB`,
      (timeHeader === 'CREATED' ? createdAt : uploadedAt).slice(0, 19).replace('T', ' '),
    ]),
  );
  return table(['ALIAS', 'SIZE', timeHeader], rows);
}

export function imageInfoText({ fingerprint, aliases, sizeBytes, ...rest }: ListedImage): string[] {
  const rows: [string, string][] = [
    ['Fingerprint', fingerprint],
    ['Aliases', aliases.join(', ')],
    ['Description', rest.description],
    ['Size', `${(sizeBytes / 2 ** 20).toFixed(1)} MiB`],
    ['Created', rest.createdAt],
    ['Uploaded', rest.uploadedAt],
  ];
  return rows.flatMap(([label, value]) => (value ? [`${label}: ${oneLine(value)}`] : []));
}

// Names on case-insensitive file systems (ext4 with casefold, macOS, Windows). Pure.

/** Equal for names that such a file system treats as equal: ignores case, composition and invisible characters. */
export function foldedName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase();
}

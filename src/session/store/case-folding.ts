// Names as file systems see them that do not tell upper case from lower (ext4 with casefold, the disks of macOS and Windows). Pure.

/** Equal for names that such a file system takes for the same one: case, composition and invisible characters do not count. */
export function foldedName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase();
}

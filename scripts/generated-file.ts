/** A generated file of the repository: its path from the root, and the text it must contain. */
export interface GeneratedFile {
  path: string;
  text: string;
}

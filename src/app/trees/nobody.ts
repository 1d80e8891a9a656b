// The identity of commits that coi makes only for itself.
export const nobody = {
  GIT_AUTHOR_NAME: 'coi',
  GIT_AUTHOR_EMAIL: 'coi@localhost',
  GIT_COMMITTER_NAME: 'coi',
  GIT_COMMITTER_EMAIL: 'coi@localhost',
};

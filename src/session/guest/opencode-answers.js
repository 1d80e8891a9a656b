// Takes the answers of the host (session/guest/answer.sh) and gives them to opencode, each for the request that it names.
// Loaded by opencode-status.js.
import { readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const maxBytes = 64 * 1024;

export class AnswerFile {
  #file;
  #taken;

  constructor(directory) {
    this.#file = join(directory, 'answers', `${process.pid}.answer`);
    this.#taken = join(directory, 'answers', `.${process.pid}.taken`);
  }

  /** Replies if there is an answer to an open request; any other is dropped. */
  async look(told, client) {
    if (!statSync(this.#file, { throwIfNoEntry: false })) return;
    // From now on the host takes it as given.
    renameSync(this.#file, this.#taken);
    const { size } = statSync(this.#taken);
    const text = size <= maxBytes ? readFileSync(this.#taken, 'utf8') : '{}';
    rmSync(this.#taken, { force: true });
    const { ask, reply, message, answers } = JSON.parse(text);
    const asks = told.request(ask);
    if (!asks) return;
    const { error } =
      asks[0].kind === 'question'
        ? await client.question.reply({ requestID: ask, answers: labels(asks, answers) })
        : await client.permission.reply({
            requestID: ask,
            reply,
            ...(message !== undefined && { message }),
          });
    if (error) throw new Error(JSON.stringify(error));
  }

  remove() {
    rmSync(this.#file, { force: true });
    rmSync(this.#taken, { force: true });
  }
}

/** The chosen options as opencode knows them. */
function labels(asks, answers) {
  return asks.map(({ options }, index) => {
    const { options: chosen, text } = answers[index];
    return text === undefined ? chosen.map((id) => options[Number(id) - 1].label) : [text];
  });
}

import { oneLine } from './clean-text.js';

/** Follows headings of levels 1 to 6 through a document; `path` is what stands above the current place. */
export class HeadingStack {
  #stack: { level: number; title: string }[] = [];
  #path: readonly string[] = [];

  get path(): readonly string[] {
    return this.#path;
  }

  enter(level: number, title: string): void {
    this.#stack = [...this.#stack.filter((heading) => heading.level < level), { level, title: oneLine(title) }];
    this.#path = this.#stack.map((heading) => heading.title).filter((text) => text !== '');
  }
}

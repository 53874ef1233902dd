// Links between our documents: the file that is named must be there, and the heading.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ROOT } from './paths.mjs';
import { capture } from './process.mjs';

/** A sentence for each link that leads nowhere. */
export async function brokenLinks() {
  const documents = (await capture('git', ['-C', ROOT, 'ls-files', '*.md'])).trim().split('\n').map((file) => join(ROOT, file));
  return documents.flatMap((document) => {
    const links = [...prose(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link).filter((link) => !/^[a-z]+:/.test(link));
    return links.filter((link) => !leads(document, link)).map((link) => `${relative(ROOT, document)} links to ${link}, which is not there`);
  });
}

function leads(document, link) {
  const [path, heading] = link.split('#');
  const target = path ? join(dirname(document), path) : document;
  return existsSync(target) && (!heading || headings(target).includes(heading));
}

/** The names that GitHub gives to the headings of a document. One that comes again has a number. */
function headings(document) {
  const seen = {};
  return (prose(document).match(/^#+ .*$/gm) ?? []).map((line) => {
    const name = line.replace(/^#+ /, '').toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
    seen[name] = (seen[name] ?? -1) + 1;
    return seen[name] ? `${name}-${seen[name]}` : name;
  });
}

/** A document without its blocks of code. */
function prose(document) {
  return readFileSync(document, 'utf8').replace(/^```.*?^```/gms, '');
}

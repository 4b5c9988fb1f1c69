import { Composer, type Document, Lexer, Parser, type YAMLParseError } from "yaml";

import { convertNode } from "./convert-node.ts";
import type { YamlDocument, YamlProblem } from "./yaml-value.ts";

/** What keeps reading bounded whatever the text; each breach is a problem of kind `limit`. */
export const yamlLimits = {
  /** In UTF-16 units, which bytes never undercut. */
  fileLength: 32 * 1024 * 1024,
  /** One document. The Kubernetes API server takes no object above 1.5 MiB, so only long lists come near. */
  documentLength: 8 * 1024 * 1024,
  /**
   * Lexical tokens of one document, blanks and line ends included; what the parser's time and memory grow with. A List
   * of 10,000 VirtualServices, as kubectl prints it, has two million.
   */
  documentTokens: 3_000_000,
  /** Collections within collections; each takes up to two entries of the parser's stack. */
  depth: 100,
  /** Values that aliases of one document may add to those that are written out. */
  aliasedValues: 100_000,
} as const;

const composerOptions = {
  // Every scalar stays text here: plain ones are typed by resolve-plain.ts, exactly as Kubernetes does.
  schema: "failsafe",
  resolveKnownTags: false,
  // The library compares each key with every other one; convert-node.ts finds duplicates in linear time.
  uniqueKeys: false,
  logLevel: "silent",
} as const;

/**
 * Reads one document after the other, so that only one syntax tree is alive at a time. Never throws: what cannot be
 * read is a problem. Reading stops at the first breach of a limit.
 */
export function* readYaml(text: string): Generator<YamlDocument> {
  if (text.length > yamlLimits.fileLength) {
    const message = `The file is longer than ${yamlLimits.fileLength / 1024 / 1024} MiB.`;
    yield { value: undefined, problems: [{ kind: "limit", message, offset: 0 }] };
    return;
  }
  try {
    yield* readDocuments(text);
  } catch (cause) {
    // The library promises to throw nothing; should it break that promise, the text is at fault, not the caller.
    const message = `The YAML parser gave up (${cause instanceof Error ? cause.name : typeof cause}).`;
    yield { value: undefined, problems: [{ kind: "syntax", message, offset: 0 }] };
  }
}

function* readDocuments(text: string): Generator<YamlDocument> {
  const parser = new Parser();
  const composer = new Composer(composerOptions);
  let read = { start: 0, tokens: 0 };
  for (const lexeme of new Lexer().lex(text)) {
    read.tokens += 1;
    for (const token of parser.next(lexeme)) {
      for (const document of composer.next(token)) {
        yield convertDocument(document);
      }
      if (token.type === "document") {
        read = { start: parser.offset, tokens: 0 };
      }
    }
    const breach = findBreach(parser, read);
    if (breach !== undefined) {
      yield { value: undefined, problems: [breach] };
      return;
    }
  }
  for (const token of parser.end()) {
    for (const document of composer.next(token)) {
      yield convertDocument(document);
    }
  }
  for (const document of composer.end()) {
    yield convertDocument(document);
  }
}

function findBreach(
  parser: Parser,
  read: { readonly start: number; readonly tokens: number },
): YamlProblem | undefined {
  if (parser.stack.length > yamlLimits.depth * 2) {
    const message = `The document nests more than ${yamlLimits.depth} levels deep.`;
    return { kind: "limit", message, offset: parser.offset };
  }
  if (parser.offset - read.start > yamlLimits.documentLength) {
    const message = `The document is longer than ${yamlLimits.documentLength / 1024 / 1024} MiB.`;
    return { kind: "limit", message, offset: read.start };
  }
  if (read.tokens > yamlLimits.documentTokens) {
    const message = `The document has more than ${yamlLimits.documentTokens} tokens.`;
    return { kind: "limit", message, offset: read.start };
  }
  return undefined;
}

function convertDocument(document: Document.Parsed): YamlDocument {
  const problems: YamlProblem[] = document.errors.map((error) => ({
    kind: "syntax",
    message: sentence(error),
    offset: error.pos[0],
  }));
  if (problems.length > 0 || document.contents === null) {
    return { value: undefined, problems };
  }
  const converted = convertNode(document.contents, { aliasedValues: yamlLimits.aliasedValues });
  return converted.value?.kind === "null" ? { ...converted, value: undefined } : converted;
}

/**
 * The library's sentence without what it quotes of the text: that may be of a Secret, which cannot be told while the
 * document is not understood. The place says where to look.
 */
function sentence({ code, message }: YAMLParseError): string {
  if (code === "BAD_DQ_ESCAPE") return "A backslash in double quotes begins no known escape.";
  if (code === "TAG_RESOLVE_FAILED" || code === "BAD_COLLECTION_TYPE") return "A tag is not read.";
  const line = (message.split("\n", 1)[0] ?? "").slice(0, 200).trim();
  const told = code === "UNEXPECTED_TOKEN" ? line.replace(/: .*$/su, "") : line;
  return told.endsWith(".") ? told : `${told}.`;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Marks that sit on the character before them, and characters that are not seen at all. */
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** What terminals draw over two columns: East Asian wide and full-width characters, and emoji. */
const doubleWidth =
  /^(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u3000-\u303E\u30FB\u30FC\uFF01-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}|\p{Emoji}\uFE0F)/u;

/** Half-width forms of scripts that are wide otherwise. */
const halfWidth = /^[\uFF61-\uFFDC\uFFE8-\uFFEE]/u;

/** The characters of a text as people count them: an accent belongs to its letter, a family of emoji is one. */
export function graphemesOf(text: string): readonly string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** How many columns of a terminal a text takes; colours must have been taken out of it. */
export function displayWidth(text: string): number {
  if (/^[\u0020-\u007E]*$/u.test(text)) return text.length;
  return graphemesOf(text).reduce((sum, grapheme) => sum + widthOf(grapheme), 0);
}

function widthOf(grapheme: string): number {
  if (zeroWidth.test(grapheme)) return 0;
  return doubleWidth.test(grapheme) && !halfWidth.test(grapheme) ? 2 : 1;
}

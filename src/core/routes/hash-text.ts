/** Ten letters and digits: two runs of 32-bit FNV-1a with different starting points. Not for secrets. */
export function hashText(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x01234567;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.codePointAt(index) ?? 0;
    low = Math.imul(low ^ unit, 0x01000193) >>> 0;
    high = Math.imul(high ^ unit ^ (low >>> 13), 0x01000193) >>> 0;
  }
  return (low.toString(36).padStart(7, "0") + high.toString(36).padStart(7, "0")).slice(2, 12);
}

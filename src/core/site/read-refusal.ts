/**
 * What a proxy said when it refused, as one line that a person can read. Undefined for what is no text.
 * Protobuf puts a marker and blanks before what it prints, so that nobody reads it by a program.
 *
 * Envoy writes out the whole resource and its reason behind it, and sends no more than the beginning of that.
 * Source: Envoy `source/common/config/utility.cc`, Utility::truncateGrpcStatusMessage.
 */
export function readRefusal(text: string | undefined): string | undefined {
  const line = text
    ?.replaceAll(/goo\.gle\/debug\w+/gu, " ")
    .replaceAll(/\s+/gu, " ")
    .replaceAll(/^[\s:]+|\s+$/gu, "");
  const resource = /^name: "([^"\\]*)" /u.exec(line ?? "")?.[1];
  return line === undefined || resource === undefined ? line : `"${resource}": ${findReason(line)}`;
}

/** Protobuf has no blank between a field's name and its colon, so the first of those ends the resource. */
function findReason(line: string): string {
  const masked = line.replaceAll(/"(?:[^"\\]|\\.)*(?:"|\\?$)/gu, (quoted) => "_".repeat(quoted.length));
  const end = masked.indexOf(" : ");
  return end === -1 ? withoutReason : line.slice(end + 3);
}

const withoutReason = "istiod was not told the whole reason, because Envoy cuts long ones off; the proxy's log has it";

import { didYouMean } from "../decode/nearest-name.ts";

/** Variables that take nothing behind their name, each word behind `DOWNSTREAM_`. */
const ofDownstream = `
  CX_RTT DECOMPRESSED_HEADER_BYTES_RECEIVED DECOMPRESSED_HEADER_BYTES_SENT DETECTED_CLOSE_TYPE
  DIRECT_LOCAL_ADDRESS DIRECT_LOCAL_ADDRESS_ENDPOINT_ID DIRECT_LOCAL_PORT DIRECT_REMOTE_ADDRESS DIRECT_REMOTE_PORT
  HANDSHAKE_DURATION HEADER_BYTES_RECEIVED HEADER_BYTES_SENT LOCAL_ADDRESS LOCAL_ADDRESS_ENDPOINT_ID
  LOCAL_CLOSE_REASON LOCAL_DNS_SAN LOCAL_EMAIL_SAN LOCAL_IP_SAN LOCAL_OTHERNAME_SAN LOCAL_PORT LOCAL_SUBJECT
  LOCAL_URI_SAN PEER_CERT PEER_CHAIN_FINGERPRINTS_1 PEER_CHAIN_FINGERPRINTS_256 PEER_CHAIN_SERIALS PEER_DNS_SAN
  PEER_EMAIL_SAN PEER_FINGERPRINT_1 PEER_FINGERPRINT_256 PEER_IP_SAN PEER_ISSUER PEER_ISSUER_FINGERPRINT_256
  PEER_ISSUER_SERIAL PEER_OTHERNAME_SAN PEER_SERIAL PEER_SUBJECT PEER_URI_SAN REMOTE_ADDRESS REMOTE_PORT
  TLS_CIPHER TLS_GROUP TLS_SESSION_ID TLS_VERSION TRANSPORT_FAILURE_REASON WIRE_BYTES_RECEIVED WIRE_BYTES_SENT
`;

/** The same behind `UPSTREAM_`. */
const ofUpstream = `
  CLUSTER CLUSTER_RAW CONNECTION_ID CONNECTION_IDS_ATTEMPTED CONNECTION_POOL_READY_DURATION
  DECOMPRESSED_HEADER_BYTES_RECEIVED DECOMPRESSED_HEADER_BYTES_SENT DETECTED_CLOSE_TYPE HEADER_BYTES_RECEIVED
  HEADER_BYTES_SENT HOST HOSTS_ATTEMPTED HOSTS_ATTEMPTED_WITHOUT_PORT HOST_NAME HOST_NAMES_ATTEMPTED
  HOST_NAMES_ATTEMPTED_WITHOUT_PORT HOST_NAME_WITHOUT_PORT LOCAL_ADDRESS LOCAL_CLOSE_REASON LOCAL_DNS_SAN
  LOCAL_IP_SAN LOCAL_PORT LOCAL_URI_SAN PEER_CERT PEER_DNS_SAN PEER_IP_SAN PEER_ISSUER PEER_SUBJECT PEER_URI_SAN
  PROTOCOL REMOTE_ADDRESS REMOTE_ADDRESS_ENDPOINT_ID REMOTE_PORT REQUEST_ATTEMPT_COUNT SERVER_NAME TLS_CIPHER
  TLS_GROUP TLS_SESSION_ID TLS_VERSION TRANSPORT_FAILURE_REASON WIRE_BYTES_RECEIVED WIRE_BYTES_SENT
`;

const ofRequest = `
  ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS
  CUSTOM_FLAGS DURATION FILTER_CHAIN_NAME GRPC_STATUS GRPC_STATUS_NUMBER HOSTNAME LISTENER_NAME LOCAL_REPLY_BODY
  PROTOCOL REQUESTED_SERVER_NAME REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE
  RESPONSE_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES
  RESPONSE_TX_DURATION ROUNDTRIP_DURATION ROUTE_NAME ROUTE_RESOLUTION_COUNT ROUTE_RESOLUTION_TIME_US SPAN_ID
  STREAM_ID TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT TRACE_ID UNIQUE_ID VIRTUAL_CLUSTER_NAME
`;

function wordsOf(text: string, prefix: string): readonly string[] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => prefix + word);
}

const bareVariables: ReadonlySet<string> = new Set([
  ...wordsOf(ofDownstream, "DOWNSTREAM_"),
  ...wordsOf(ofUpstream, "UPSTREAM_"),
  ...wordsOf(ofRequest, ""),
]);

interface Argument {
  readonly pattern: RegExp;
  readonly isRequired: boolean;
  /** Whether `:N` may follow, which cuts the value to N characters. */
  readonly takesLength: boolean;
}

const headerNames: Argument = {
  pattern: /^:?[!#$%&'*+.^_`|~0-9A-Za-z-]*(?:\?:?[!#$%&'*+.^_`|~0-9A-Za-z-]*)?$/,
  isRequired: true,
  takesLength: true,
};
const anyText: Argument = { pattern: /^/, isRequired: true, takesLength: true };
const anyKey: Argument = { pattern: /^/, isRequired: true, takesLength: false };
const filterState: Argument = {
  pattern: /^[^:]+(?::(?:PLAIN|TYPED|FIELD:[^:]+))?$/,
  isRequired: true,
  takesLength: true,
};
const optionalText: Argument = { pattern: /^/, isRequired: false, takesLength: false };

const variablesWithArgument: ReadonlyMap<string, Argument> = new Map([
  ...["REQ", "REQUEST_HEADER", "RESP", "RESPONSE_HEADER", "RESPONSE_TRAILER", "STREAM_INFO_REQ", "TRAILER"].map(
    (name): [string, Argument] => [name, headerNames],
  ),
  ...["DYNAMIC_METADATA", "ENVIRONMENT", "QUERY_PARAM"].map((name): [string, Argument] => [name, anyText]),
  ...["CLUSTER_METADATA", "PER_REQUEST_STATE", "UPSTREAM_METADATA"].map((name): [string, Argument] => [name, anyKey]),
  ...["FILTER_STATE", "UPSTREAM_FILTER_STATE"].map((name): [string, Argument] => [name, filterState]),
  ...[
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_PEER_CERT_V_END",
    "DOWNSTREAM_PEER_CERT_V_START",
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
    "EMIT_TIME",
    "EMIT_TIME_LOCAL",
    "START_TIME",
    "START_TIME_LOCAL",
    "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
    "UPSTREAM_PEER_CERT_V_END",
    "UPSTREAM_PEER_CERT_V_START",
    "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
  ].map((name): [string, Argument] => [name, optionalText]),
  ["GRPC_STATUS", { pattern: /^(?:CAMEL_STRING|SNAKE_STRING|NUMBER)?$/, isRequired: false, takesLength: false }],
  ["PATH", { pattern: /^(?:(?:WQ|NQ)(?::ORIG)?)?$/, isRequired: false, takesLength: true }],
  ["QUERY_PARAMS", { pattern: /^(?:ORIG|DECODED)?$/, isRequired: false, takesLength: true }],
  ["RESPONSE_CODE_DETAILS", { pattern: /^(?:ALLOW_WHITESPACES)?$/, isRequired: false, takesLength: false }],
]);

export interface FormatComplaint {
  readonly complaint: string;
  readonly hint?: string | undefined;
}

/**
 * Why Envoy would refuse a text as a format, such as that of a header value: `%NAME%`, `%NAME(ARGUMENT)%` and
 * `%NAME(ARGUMENT):LENGTH%` are variables, `%%` is a percent sign, and one mistake makes it refuse every route of the
 * gateway. Istio only counts the percent signs, which must be even. Variables whose arguments are a language of their
 * own (`CEL`, `COALESCE`) count as unknown, because nothing here could tell whether they are right.
 * Source: Istio `pkg/config/validation/validation.go`, ValidateHTTPHeaderValue; Envoy `docs/root/configuration/
 * advanced/substitution_formatter.rst`. Names and arguments were read off Envoy 1.40, one by one.
 */
export function complainFormat(text: string): FormatComplaint | undefined {
  if ((text.split("%").length - 1) % 2 !== 0) {
    return { complaint: escapeComplaint };
  }
  for (let at = text.indexOf("%"); at !== -1; at = text.indexOf("%", at)) {
    if (text[at + 1] === "%") {
      at += 2;
      continue;
    }
    variable.lastIndex = at;
    const found = variable.exec(text);
    if (found === null) {
      return { complaint: escapeComplaint };
    }
    const [whole, name = "", argument, length] = found;
    const complaint = complainVariable(name, argument, length !== undefined);
    if (complaint !== undefined) {
      return complaint;
    }
    at += whole.length;
  }
  return undefined;
}

const escapeComplaint = 'must have each percent sign written as "%%", or as part of "%VARIABLE%"';

/** As Envoy's own parser: the argument ends at the first bracket after which the variable can end. */
const variable = /%([A-Z0-9_]+)(?:\((.*?)\))?(?::([0-9]{1,15}))?%/sy;

function complainVariable(name: string, argument: string | undefined, hasLength: boolean): FormatComplaint | undefined {
  const takes = variablesWithArgument.get(name);
  if (takes === undefined && !bareVariables.has(name)) {
    return {
      complaint: `has the variable %${name}%, which Envoy does not know, and it would refuse every route of the gateway`,
      hint:
        didYouMean(name, [...bareVariables, ...variablesWithArgument.keys()]) ??
        "Write %% for a percent sign that is meant as such.",
    };
  }
  const text = argument ?? "";
  if (takes === undefined ? text !== "" || hasLength : hasLength && !takes.takesLength) {
    return { complaint: `has the variable %${name}%, which takes ${takes === undefined ? "nothing" : "no length"}` };
  }
  if (takes?.isRequired === true && text === "") {
    return { complaint: `has the variable %${name}%, which needs an argument`, hint: `Write %${name}(ARGUMENT)%.` };
  }
  return takes === undefined || takes.pattern.test(text)
    ? undefined
    : { complaint: `has the variable %${name}% with the argument ${JSON.stringify(text)}, which it does not take` };
}

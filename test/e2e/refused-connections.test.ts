import { afterAll, beforeAll, expect, test } from "vitest";
import { issueCertificate } from "../certificates.fixture.ts";
import { Judge } from "./refusal-fixture.ts";

const authority = issueCertificate({ name: "authority" });
const own = issueCertificate({ name: "own", hosts: ["a.test"], issuer: authority });
const base64 = (pem: string): string => Buffer.from(pem).toString("base64");

const base = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {selector: {app: app}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {app: db}, ports: [{name: tcp, port: 5432}]}
---
apiVersion: v1
kind: Secret
metadata: {name: own}
type: kubernetes.io/tls
data: {tls.crt: ${base64(own.certificate)}, tls.key: ${base64(own.key)}, ca.crt: ${base64(authority.certificate)}}
---
apiVersion: v1
kind: Secret
metadata: {name: own, namespace: istio-system}
type: kubernetes.io/tls
data: {tls.crt: ${base64(own.certificate)}, tls.key: ${base64(own.key)}, ca.crt: ${base64(authority.certificate)}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway-pods}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template: {metadata: {labels: {istio: ingressgateway}}, spec: {containers: []}}
`;

const to = "route: [{destination: {host: app}}]";
const rule = (fields: string, hosts = '"a.test"', gateway = "gateway"): string => `---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app}
spec: {hosts: [${hosts}], gateways: [${gateway}], ${fields}}
`;
const http = (fields: string): string => rule(`http: [{${fields}}]`);
const fault = (fields: string): string => http(`fault: {${fields}}, ${to}`);
const cors = (fields: string): string => http(`corsPolicy: {${fields}}, ${to}`);
const policy = (fields: string): string => `${http(to)}---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: app}
spec: {host: app, trafficPolicy: {${fields}}}
`;
const tls = (fields: string): string => policy(`tls: {${fields}}`);
const cookie = (fields: string): string =>
  policy(`loadBalancer: {consistentHash: {httpCookie: {name: stick, ttl: 1s, ${fields}}}}`);
const secure = (
  fields: string,
  hosts = '"a.test"',
  protocol = "HTTPS",
): string => `${rule(`http: [{${to}}]`, hosts, "secure")}---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: secure}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 443, name: https, protocol: ${protocol}}, hosts: [${hosts}], tls: {${fields}}}
`;
const simple = (fields: string): string => secure(`mode: SIMPLE, credentialName: own, ${fields}`);
const mutual = (fields: string): string => secure(`mode: MUTUAL, credentialName: own, ${fields}`);
const passed = (sni: string, hosts: string): string => `${rule(
  `tls: [{match: [{sniHosts: [${sni}]}], route: [{destination: {host: app}}]}]`,
  hosts,
  "secure",
)}---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: secure}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 8443, name: tls, protocol: TLS}, hosts: [${hosts}], tls: {mode: PASSTHROUGH}}]
`;
const bytes = (fields: string): string => `${rule(`tcp: [{${fields}}]`, '"*"', "secure")}---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: secure}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 5432, name: tcp, protocol: TCP}, hosts: ["*"]}]
`;
const entry = (fields: string, hosts = "entry.test"): string => `---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: entry}
spec: {hosts: ["${hosts}"], ports: [{number: 80, name: http, protocol: HTTP}], ${fields}}
${http(`route: [{destination: {host: "${hosts}"}}]`)}`;

/** By what is odd in it: whether `check` says no, and if it does not, then Envoy must not either. */
const manifests: Readonly<Record<string, readonly [expected: string, yaml: string]>> = {
  "no delay": ["refused", fault("delay: {fixedDelay: 0s, percentage: {value: 100}}")],
  "a delay below 1 ms": ["refused", fault("delay: {fixedDelay: 0.1ms, percentage: {value: 100}}")],
  "a negative delay": ["refused", fault("delay: {fixedDelay: -1s, percentage: {value: 100}}")],
  "the longest delay": ["accepted", fault("delay: {fixedDelay: 2562047h, percentage: {value: 100}}")],
  "a delay without a share": ["accepted", fault("delay: {fixedDelay: 1s}")],
  "a delay beyond all clocks": ["refused", fault("delay: {fixedDelay: 9999999999999h, percentage: {value: 100}}")],
  "a fault's share above 100": ["refused", fault("abort: {httpStatus: 500, percentage: {value: 100.5}}")],
  "a fault's smallest share": ["accepted", fault("abort: {httpStatus: 500, percentage: {value: 0.0001}}")],
  "a negative share": ["refused", fault("abort: {httpStatus: 500, percentage: {value: -1}}")],
  "an abort with status 200": ["accepted", fault("abort: {httpStatus: 200, percentage: {value: 1}}")],
  "an abort with status 599": ["accepted", fault("abort: {httpStatus: 599, percentage: {value: 1}}")],
  "an abort with status 600": ["refused", fault("abort: {httpStatus: 600, percentage: {value: 1}}")],
  "an abort with status 199": ["refused", fault("abort: {httpStatus: 199, percentage: {value: 1}}")],
  "an abort with status 0": ["refused", fault("abort: {httpStatus: 0, percentage: {value: 1}}")],
  "an abort with a gRPC status": ["accepted", fault("abort: {grpcStatus: UNAVAILABLE, percentage: {value: 1}}")],
  "an abort with a number as gRPC status": ["refused", fault("abort: {grpcStatus: '14', percentage: {value: 1}}")],
  "an abort with an unknown gRPC status": ["refused", fault("abort: {grpcStatus: NOPE, percentage: {value: 1}}")],
  "an abort without a status": ["accepted", fault("abort: {percentage: {value: 1}}")],
  "an empty fault": ["refused", fault("")],
  "an abort with an HTTP/2 error": ["refused", fault("abort: {http2Error: NO_ERROR, percentage: {value: 1}}")],
  "CORS with everything": [
    "accepted",
    cors(
      'allowOrigins: [{exact: "*"}, {prefix: "https://"}, {regex: ".*"}], allowMethods: [GET, "*"], allowHeaders: [a, "*"], exposeHeaders: [b], maxAge: 24h, allowCredentials: true, unmatchedPreflights: IGNORE',
    ),
  ],
  "CORS with a broken regex": ["refused", cors('allowOrigins: [{regex: "(?=a)"}]')],
  "CORS with an empty regex": ["refused", cors('allowOrigins: [{regex: ""}]')],
  "CORS with an empty origin": ["refused", cors('allowOrigins: [{exact: ""}]')],
  "CORS with an empty prefix": ["refused", cors('allowOrigins: [{prefix: ""}]')],
  "CORS with an origin without a condition": ["refused", cors("allowOrigins: [{}]")],
  "CORS with a line break in a header": ["refused", cors('allowOrigins: [{exact: a}], allowHeaders: ["a\\nb"]')],
  "CORS with a line break in an exposed header": [
    "refused",
    cors('allowOrigins: [{exact: a}], exposeHeaders: ["a\\nb"]'),
  ],
  "CORS with a line break in an origin": ["accepted", cors('allowOrigins: [{exact: "a\\nb"}]')],
  "CORS with an odd method": ["refused", cors("allowOrigins: [{exact: a}], allowMethods: [FETCH]")],
  "CORS with an age of half a second": ["refused", cors("allowOrigins: [{exact: a}], maxAge: 0.5s")],
  "CORS with a negative age": ["refused", cors("allowOrigins: [{exact: a}], maxAge: -1s")],
  "CORS with nothing": ["accepted", cors("")],
  "an odd name for statistics": ["accepted", http(`match: [{uri: {prefix: /}, statPrefix: "a.b c/ü%"}], ${to}`)],
  "a long name for statistics": [
    "accepted",
    http(`match: [{uri: {prefix: /}, statPrefix: "${"x".repeat(5000)}"}], ${to}`),
  ],
  "a mirror of many": [
    "refused",
    http(`mirrors: [{destination: {host: app}, percentage: {value: 0.0001}}, {destination: {host: nowhere}}], ${to}`),
  ],
  "a retry to other places": ["accepted", http(`retries: {attempts: 2, retryRemoteLocalities: true}, ${to}`)],
  "TLS with a certificate": ["accepted", simple("")],
  "TLS with an unknown version": ["refused", simple("minProtocolVersion: TLSV1_9")],
  "TLS with versions the wrong way round": [
    "accepted",
    simple("minProtocolVersion: TLSV1_3, maxProtocolVersion: TLSV1_2"),
  ],
  "TLS 1.0 and no ciphers": ["accepted", simple("minProtocolVersion: TLSV1_0")],
  "TLS 1.0 with ciphers": ["accepted", simple("minProtocolVersion: TLSV1_0, cipherSuites: [ECDHE-ECDSA-AES128-SHA]")],
  "TLS up to 1.0": ["accepted", simple("maxProtocolVersion: TLSV1_0, cipherSuites: [ECDHE-ECDSA-AES128-SHA]")],
  "every cipher that Istio names": [
    "accepted",
    simple(
      "cipherSuites: [ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256, ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES256-GCM-SHA384, ECDHE-ECDSA-CHACHA20-POLY1305, ECDHE-RSA-CHACHA20-POLY1305, ECDHE-ECDSA-AES128-SHA, ECDHE-RSA-AES128-SHA, ECDHE-ECDSA-AES256-SHA, ECDHE-RSA-AES256-SHA, AES128-GCM-SHA256, AES256-GCM-SHA384, AES128-SHA, AES256-SHA, DES-CBC3-SHA]",
    ),
  ],
  "an unknown cipher": ["accepted", simple("cipherSuites: [NOPE]")],
  "a cipher of TLS 1.3": ["accepted", simple("cipherSuites: [TLS_AES_128_GCM_SHA256]")],
  "an empty cipher": ["accepted", simple('cipherSuites: [""]')],
  "a cipher twice": ["accepted", simple("cipherSuites: [AES128-SHA, AES128-SHA]")],
  "a cipher group": [
    "accepted",
    simple('cipherSuites: ["[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]"]'),
  ],
  "names of clients": ["accepted", mutual('subjectAltNames: ["spiffe://a/b", a.test, "10.0.0.1", "a@b.test", ""]')],
  "a hash of a client's certificate": [
    "accepted",
    mutual(`verifyCertificateHash: ["${"ab".repeat(32)}", "${Array.from({ length: 32 }, () => "AB").join(":")}"]`),
  ],
  "a hash that is too short": ["refused", mutual("verifyCertificateHash: [abcd]")],
  "a hash that is no hash": ["refused", mutual(`verifyCertificateHash: ["${"zz".repeat(32)}"]`)],
  "a hash of a client's key": [
    "accepted",
    mutual(`verifyCertificateSpki: ["${Buffer.alloc(32, 7).toString("base64")}"]`),
  ],
  "a key hash that is too short": ["refused", mutual("verifyCertificateSpki: [abcd]")],
  "a key hash that is no base64": ["refused", mutual(`verifyCertificateSpki: ["${"!".repeat(44)}"]`)],
  "optional certificates of clients": ["accepted", secure("mode: OPTIONAL_MUTUAL, credentialName: own")],
  "two certificates of one kind": ["accepted", secure("mode: SIMPLE, credentialNames: [own, own]")],
  "TLS without a certificate": ["refused", secure("mode: SIMPLE")],
  "TLS with files that are not here": [
    "accepted",
    secure("mode: SIMPLE, serverCertificate: /nowhere/tls.crt, privateKey: /nowhere/tls.key"),
  ],
  "TLS for a wildcard": ["accepted", secure("mode: SIMPLE, credentialName: own", '"*.a.test"')],
  "TLS for every host": ["accepted", secure("mode: SIMPLE, credentialName: own", '"*"')],
  "TLS for a host in capitals": ["accepted", secure("mode: SIMPLE, credentialName: own", '"A.Test"')],
  "TLS for a host and the same in capitals": [
    "refused",
    secure("mode: SIMPLE, credentialName: own", '"a.test", "A.TEST"'),
  ],
  "TLS for an address": ["accepted", secure("mode: SIMPLE, credentialName: own", '"10.0.0.1"')],
  "TLS that ends before bytes": ["accepted", secure("mode: SIMPLE, credentialName: own", '"a.test"', "TLS")],
  "names that pass through": ["accepted", passed("a.test, b.test", "a.test, b.test")],
  "a wildcard that passes through": ["accepted", passed('"*.a.test"', '"*.a.test"')],
  "everything that passes through": ["accepted", passed('"*"', '"*"')],
  "one name twice": ["accepted", passed("a.test, a.test", "a.test")],
  "a name in capitals and not": ["accepted", passed("a.test, A.TEST", '"*"')],
  "a wildcard inside a name": ["refused", passed('"a*.test"', '"*"')],
  "a name with a blank": ["refused", passed('"a b.test"', '"*"')],
  "an address as name": ["accepted", passed('"10.0.0.1"', '"*"')],
  "bytes to one destination": ["accepted", bytes("route: [{destination: {host: db, port: {number: 5432}}}]")],
  "bytes to several": [
    "refused",
    bytes(
      "route: [{destination: {host: db}, weight: 1}, {destination: {host: app}, weight: 0}, {destination: {host: app, subset: x}, weight: 2}]",
    ),
  ],
  "bytes to nowhere": ["refused", bytes("route: [{destination: {host: nowhere}}]")],
  "bytes by the largest weights": [
    "accepted",
    bytes("route: [{destination: {host: db}, weight: 2147483647}, {destination: {host: app}, weight: 2147483647}]"),
  ],
  "bytes by weights that add up to too much": [
    "refused",
    bytes(
      "route: [{destination: {host: db}, weight: 2147483647}, {destination: {host: app}, weight: 2147483647}, {destination: {host: app, subset: x}, weight: 2}]",
    ),
  ],
  "bytes by no weight": [
    "refused",
    bytes("route: [{destination: {host: db}, weight: 0}, {destination: {host: app}, weight: 0}]"),
  ],
  "bytes by a condition": ["accepted", bytes("match: [{port: 5432}], route: [{destination: {host: db}}]")],
  "TLS to a destination": ["accepted", tls("mode: SIMPLE")],
  "TLS to a destination without verification": ["accepted", tls("mode: SIMPLE, insecureSkipVerify: true")],
  "no verification and names": ["refused", tls("mode: SIMPLE, insecureSkipVerify: true, subjectAltNames: [a.test]")],
  "an SNI and names": ["accepted", tls('mode: SIMPLE, sni: a.test, subjectAltNames: [a.test, "spiffe://a"]')],
  "an SNI of 255 bytes": ["accepted", tls(`mode: SIMPLE, sni: "${"x".repeat(255)}"`)],
  "an SNI of 256 bytes": ["refused", tls(`mode: SIMPLE, sni: "${"x".repeat(256)}"`)],
  "an odd SNI": ["accepted", tls('mode: SIMPLE, sni: "a b\\n.test"')],
  "an SNI with a zero byte": ["refused", tls('mode: SIMPLE, sni: "a\\0b"')],
  "an empty name": ["accepted", tls('mode: SIMPLE, subjectAltNames: [""]')],
  "TLS both ways": ["accepted", tls("mode: MUTUAL, credentialName: own")],
  "TLS both ways without a certificate": ["refused", tls("mode: MUTUAL")],
  "TLS both ways with files that are not here": [
    "accepted",
    tls("mode: MUTUAL, clientCertificate: /nowhere/a, privateKey: /nowhere/b"),
  ],
  "TLS with a CA file that is not here": ["accepted", tls("mode: SIMPLE, caCertificates: /nowhere/ca")],
  "TLS with this machine's CA": ["accepted", tls("mode: SIMPLE, caCertificates: system")],
  "TLS of the mesh": ["accepted", tls("mode: ISTIO_MUTUAL")],
  "no TLS": ["accepted", tls("mode: DISABLE")],
  "the PROXY protocol": ["accepted", policy("proxyProtocol: {version: V2}")],
  "the PROXY protocol and TLS": ["accepted", policy("proxyProtocol: {version: V1}, tls: {mode: SIMPLE}")],
  keepalive: ["accepted", policy("connectionPool: {tcp: {tcpKeepalive: {probes: 3, time: 60s, interval: 5s}}}")],
  "keepalive with nothing": ["accepted", policy("connectionPool: {tcp: {tcpKeepalive: {}}}")],
  "keepalive of 0": ["refused", policy("connectionPool: {tcp: {tcpKeepalive: {probes: 0, time: 0s, interval: 0s}}}")],
  "keepalive below a second": ["accepted", policy("connectionPool: {tcp: {tcpKeepalive: {time: 10ms}}}")],
  "keepalive beyond 32 bits": ["accepted", policy("connectionPool: {tcp: {tcpKeepalive: {time: 2562047h}}}")],
  "keepalive beyond 136 years": ["accepted", policy("connectionPool: {tcp: {tcpKeepalive: {time: 4294967296s}}}")],
  "keepalive probes beyond 32 bits": ["refused", policy("connectionPool: {tcp: {tcpKeepalive: {probes: 4294967296}}}")],
  "HTTP/2 keepalive": [
    "accepted",
    policy("connectionPool: {http: {h2UpgradePolicy: UPGRADE, http2KeepAlive: {interval: 10s, timeout: 1s}}}"),
  ],
  "HTTP/2 keepalive without a timeout": [
    "refused",
    policy("connectionPool: {http: {h2UpgradePolicy: UPGRADE, http2KeepAlive: {interval: 10s}}}"),
  ],
  "HTTP/2 keepalive without an interval": [
    "refused",
    policy("connectionPool: {http: {h2UpgradePolicy: UPGRADE, http2KeepAlive: {timeout: 10s}}}"),
  ],
  "HTTP/2 keepalive of 0": [
    "refused",
    policy("connectionPool: {http: {h2UpgradePolicy: UPGRADE, http2KeepAlive: {interval: 0s, timeout: 0s}}}"),
  ],
  "HTTP/2 keepalive below 1 ms": [
    "refused",
    policy("connectionPool: {http: {h2UpgradePolicy: UPGRADE, http2KeepAlive: {interval: 0.5ms, timeout: 0.5ms}}}"),
  ],
  "the largest number of streams": [
    "accepted",
    policy("connectionPool: {http: {h2UpgradePolicy: UPGRADE, maxConcurrentStreams: 2147483647}}"),
  ],
  "warming up": [
    "accepted",
    policy("loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 10s, minimumPercent: 10, aggression: 1}}"),
  ],
  "warming up by the old field": ["accepted", policy("loadBalancer: {simple: LEAST_REQUEST, warmupDurationSecs: 10s}")],
  "warming up in no time": ["refused", policy("loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 0s}}")],
  "warming up without a time": ["refused", policy("loadBalancer: {simple: ROUND_ROBIN, warmup: {minimumPercent: 10}}")],
  "warming up from more than all": [
    "refused",
    policy("loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 10s, minimumPercent: 101}}"),
  ],
  "warming up from nothing": [
    "accepted",
    policy("loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 10s, minimumPercent: 0}}"),
  ],
  "warming up without aggression": [
    "refused",
    policy("loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 10s, aggression: 0}}"),
  ],
  "warming up with too little aggression": [
    "accepted",
    policy("loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 10s, aggression: 0.5}}"),
  ],
  "warming up with negative aggression": [
    "refused",
    policy("loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 10s, aggression: -1}}"),
  ],
  "warming up for ever": [
    "accepted",
    policy("loadBalancer: {simple: ROUND_ROBIN, warmup: {duration: 2562047h, aggression: 1.0e300}}"),
  ],
  "warming up at random": ["accepted", policy("loadBalancer: {simple: RANDOM, warmup: {duration: 10s}}")],
  "a cookie's attributes": [
    "accepted",
    cookie("path: /, attributes: [{name: SameSite, value: Strict}, {name: Secure}]"),
  ],
  "a cookie's odd attributes": ["refused", cookie('attributes: [{name: "a b;", value: "c\\nd"}]')],
  "a cookie's attribute without a name": ["refused", cookie("attributes: [{value: x}]")],
  "a cookie's attribute beyond 16 KiB": ["refused", cookie(`attributes: [{name: a, value: "${"x".repeat(16_385)}"}]`)],
  "a cookie's attribute that is empty": ["refused", cookie('attributes: [{name: "", value: ""}]')],
  "a cookie without a name": ["refused", policy('loadBalancer: {consistentHash: {httpCookie: {name: "", ttl: 1s}}}')],
  "a retry budget": ["accepted", policy("retryBudget: {percent: 25, minRetryConcurrency: 3}")],
  "a tunnel": ["refused", policy("tunnel: {protocol: CONNECT, targetHost: a.test, targetPort: 443}")],
  "shares by place": [
    "accepted",
    policy(
      "outlierDetection: {consecutive5xxErrors: 1}, loadBalancer: {localityLbSetting: {distribute: [{from: 'a/*', to: {'a/b': 80, 'c/*': 20}}]}}",
    ),
  ],
  "shares by place that do not add up": [
    "refused",
    policy("loadBalancer: {localityLbSetting: {distribute: [{from: 'a/*', to: {'a/b': 80, 'c/*': 10}}]}}"),
  ],
  "other places on failure": [
    "accepted",
    policy(
      "outlierDetection: {consecutive5xxErrors: 1}, loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}",
    ),
  ],
  "passing through": ["refused", policy("loadBalancer: {simple: PASSTHROUGH}")],
  "one name of several": ["accepted", entry("resolution: DNS_ROUND_ROBIN, endpoints: [{address: a.test}]")],
  "one name, and two are given": [
    "refused",
    entry("resolution: DNS_ROUND_ROBIN, endpoints: [{address: a.test}, {address: b.test}]"),
  ],
  "one name, the host's own": ["accepted", entry("resolution: DNS_ROUND_ROBIN")],
  "a wildcard by the request's host": ["accepted", entry("resolution: DYNAMIC_DNS", "*.entry.test")],
  "a wildcard by DNS": ["refused", entry("resolution: DNS", "*.entry.test")],
  "no resolution": ["accepted", entry("resolution: NONE")],
  "no endpoints": ["accepted", entry("resolution: STATIC")],
  "endpoints in places": [
    "accepted",
    entry(
      "resolution: STATIC, endpoints: [{address: 127.0.0.1, locality: a/b/c, weight: 3}, {address: 127.0.0.2, locality: d}, {address: 127.0.0.3}]",
    ),
  ],
  "endpoints in odd places": [
    "accepted",
    entry(
      'resolution: STATIC, endpoints: [{address: 127.0.0.1, locality: "/"}, {address: 127.0.0.2, locality: "a//b/c/d"}]',
    ),
  ],
  "endpoints in odd places by DNS": [
    "accepted",
    entry('resolution: DNS, endpoints: [{address: localhost, locality: "a/b"}, {address: 127.0.0.2, locality: "a/c"}]'),
  ],
  "a socket of this machine": ["accepted", entry('resolution: STATIC, endpoints: [{address: "unix:///tmp/app.sock"}]')],
  "a range of addresses": ["accepted", entry("addresses: [10.0.0.0/8], resolution: NONE")],
};

let judge: Judge;

beforeAll(async () => {
  judge = await Judge.open(base);
});

afterAll(async () => {
  await judge[Symbol.asyncDispose]();
});

test.each(Object.entries(manifests))("%s: no refusal that check does not foresee", async (_name, [expected, yaml]) => {
  const { errors, report } = await judge.judge(base + yaml);
  if (expected === "refused") {
    expect(errors.map(({ message }) => message)).not.toEqual([]);
    return;
  }
  expect(errors).toEqual([]);
  expect(report).toMatchObject({ kind: "applied" });
});

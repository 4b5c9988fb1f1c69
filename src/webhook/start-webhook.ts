import { KirikaeError } from "../core/diagnostics/error.ts";
import { AdmissionJudge, type AdmissionView } from "./admission-judge.ts";
import type { FailurePolicy } from "./admission-review.ts";
import { AdmissionServer } from "./admission-server.ts";
import { keepOwnCertificate, type OwnCertificateOptions, readOwnCertificate } from "./own-certificate.ts";
import { type CertificateFiles, followCertificate, pause, readCertificateFiles } from "./serving-certificate.ts";

export interface WebhookOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** All addresses unless given. */
  readonly host?: string;
  readonly failure: FailurePolicy;
  readonly view: AdmissionView;
  readonly certificate: WebhookCertificate;
  readonly onNote: (text: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long the API server waits before it is answered by policy; 1,000 unless given. */
  readonly budgetMs?: number;
}

/** Given by somebody who issues certificates, or made and kept by the replicas themselves. */
type WebhookCertificate =
  | ({ readonly kind: "files" } & CertificateFiles)
  | ({ readonly kind: "secret" } & Omit<OwnCertificateOptions, "now">);

export interface Webhook extends AsyncDisposable {
  readonly port: number;
  /** Whether there is a certificate, without which the API server gets no answer. */
  readonly isReady: boolean;
  /** Keeps the certificate while this replica leads: resolves at the signal, after trouble it tries again by itself. */
  lead(signal: AbortSignal): Promise<void>;
}

const everyMs = 30_000;
/** Also how soon it is seen that somebody has told the API server to ask, or has taken the authority away. */
const renewalMs = 60_000;
/** What a watch needs to bring what was stored a moment ago, on a busy machine. */
const freshnessMs = 300;

/** @throws KirikaeError KIR4090 for the port, KIR4091 for files that hold no certificate with its key */
export async function startWebhook(options: WebhookOptions): Promise<Webhook> {
  const { certificate, view, now, onNote, budgetMs = 1_000 } = options;
  await using stack = new AsyncDisposableStack();
  const ended = new AbortController();
  const judge = new AdmissionJudge({ view, now, untilFresher: () => pause(freshnessMs, ended.signal) });
  const { port, failure, host = "::" } = options;
  const server = stack.use(await AdmissionServer.start({ port, host, failure, judge, budgetMs, onNote }));
  let isReady = false;
  const follow = {
    use: (found: Parameters<AdmissionServer["use"]>[0]) => {
      server.use(found);
      isReady = true;
    },
    everyMs,
    onNote,
    signal: ended.signal,
  };
  if (certificate.kind === "files") follow.use(await readCertificateFiles(certificate));
  const read = () =>
    certificate.kind === "files" ? readCertificateFiles(certificate) : readOwnCertificate({ ...certificate, now });
  const following = followCertificate({ ...follow, read });
  stack.defer(async () => {
    ended.abort();
    await following;
  });
  const running = stack.move();
  return {
    port: server.port,
    get isReady() {
      return isReady;
    },
    async lead(signal) {
      if (certificate.kind === "secret") await keepWhile(signal, { ...certificate, now, onNote });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function keepWhile(
  signal: AbortSignal,
  { onNote, ...options }: OwnCertificateOptions & Pick<WebhookOptions, "onNote">,
): Promise<void> {
  while (!signal.aborted) {
    let waitMs = renewalMs;
    try {
      await keepOwnCertificate(options);
    } catch (error) {
      if (!(error instanceof KirikaeError)) throw error;
      onNote(`The webhook's certificate could not be kept: ${error.message}`);
      waitMs = 10_000;
    }
    await pause(waitMs, signal);
  }
}

/** One Envoy on this machine, and the sockets that its bootstrap names. */
export interface LocalProxy {
  /** The node id of its bootstrap. */
  readonly node: string;
  readonly adminSocket: string;
  readonly proofSocket: string;
  /** Its process, where it runs and somebody knows. */
  pid?(): number | undefined;
}

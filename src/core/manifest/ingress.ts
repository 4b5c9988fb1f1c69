import type { Position } from "../diagnostics/position.ts";

/** `networking.k8s.io/v1` Ingress. */
export interface IngressSpec {
  /** From `ingressClassName`, else from the old annotation `kubernetes.io/ingress.class`. */
  readonly className: string | undefined;
  readonly defaultBackend: IngressBackend | undefined;
  readonly tls: readonly IngressTls[];
  readonly rules: readonly IngressRule[];
}

export interface IngressTls {
  /** Empty is every host. */
  readonly hosts: readonly string[];
  readonly secretName: string | undefined;
  readonly at: Position;
}

export interface IngressRule {
  /** Undefined is every host. */
  readonly host: string | undefined;
  readonly paths: readonly IngressPath[];
  readonly at: Position;
}

export interface IngressPath {
  /** Begins with a slash; `/` where the manifest gives none. */
  readonly path: string;
  readonly pathType: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly backend: IngressBackend;
  readonly at: Position;
}

export interface IngressBackend {
  readonly service: string;
  /** A port's number, or its name in the Service. */
  readonly port: number | string;
  readonly at: Position;
}

/** `networking.k8s.io/v1` IngressClass: which controller a class is for; Istio's is `istio.io/ingress-controller`. */
export interface IngressClassSpec {
  readonly controller: string;
  /** The class of Ingresses that name none. */
  readonly isDefault: boolean;
}

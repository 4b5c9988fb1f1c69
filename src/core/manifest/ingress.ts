import type { Position } from "../diagnostics/position.ts";

/** `networking.k8s.io/v1` Ingress. */
export interface IngressSpec {
  /** The name of an IngressClass. */
  readonly className: string | undefined;
  /** The old annotation `kubernetes.io/ingress.class`, which wins. */
  readonly classAnnotation: string | undefined;
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
  /** Undefined where the rule says nothing about requests. */
  readonly paths: readonly IngressPath[] | undefined;
  readonly at: Position;
}

export interface IngressPath {
  /** Begins with a slash, or is empty for `ImplementationSpecific`. */
  readonly path: string;
  readonly pathType: "Exact" | "Prefix" | "ImplementationSpecific";
  readonly backend: IngressBackend;
  readonly at: Position;
}

export type IngressBackend =
  | {
      readonly kind: "service";
      readonly service: string;
      /** A port's number, or its name in the Service. */
      readonly port: number | string;
      readonly at: Position;
    }
  /** An object that is no Service, such as a bucket, as `Kind name`; Istio sends nothing there. */
  | { readonly kind: "resource"; readonly resource: string; readonly at: Position };

/** `networking.k8s.io/v1` IngressClass: which controller a class is for; Istio's is `istio.io/ingress-controller`. */
export interface IngressClassSpec {
  readonly controller: string;
  /** The class of Ingresses that name none. */
  readonly isDefault: boolean;
}

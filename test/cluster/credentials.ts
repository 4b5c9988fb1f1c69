import { issueCertificate, type IssuedCertificate } from "../certificates.fixture.ts";

/** Certificates for one run, by the names that cases call them. */
export interface Credentials {
  /** @throws for a name that no case may use. */
  get(name: string): IssuedCertificate;
}

/** Two authorities; servers and a client of the first, and a client of the second, which nobody should trust. */
export function issueCredentials(): Credentials {
  const authority = issueCertificate({ name: "authority" });
  const stranger = issueCertificate({ name: "stranger" });
  const server = (name: string, ...hosts: string[]) => issueCertificate({ name, hosts, issuer: authority });
  const issued = new Map(
    [
      authority,
      stranger,
      server("server", "a.example.com", "b.example.com"),
      server("wild", "*.example.com"),
      server("other", "other.example.org"),
      server("backend", "secure.example.com", "*.secure.example.com"),
      issueCertificate({ name: "client", uris: ["spiffe://test/client"], issuer: authority }),
      issueCertificate({ name: "intruder", uris: ["spiffe://test/client"], issuer: stranger }),
    ].map((each) => [each.name, each]),
  );
  return {
    get(name) {
      const found = issued.get(name);
      if (found === undefined) throw new Error(`no certificate ${name}`);
      return found;
    },
  };
}

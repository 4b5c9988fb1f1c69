import { expect, test } from "vitest";

import { readCertificates } from "./certificate.ts";

/** `*.shop.example`, 2025 to 2040; its times have two digits for the year. */
const wildcard = [
  "-----BEGIN CERTIFICATE-----",
  "MIIBSTCB76ADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMMBHdpbGQwHhcN",
  "MjUwMTAxMDAwMDAwWhcNNDAwMTAxMDAwMDAwWjAPMQ0wCwYDVQQDDAR3aWxkMFkw",
  "EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEiQavUp4fdbIPrOZy8rcpWYes7cXO20jq",
  "OfGbR8C51o9Zn7q4g5d3RJ9K2bFLXOvjchWqfGM4EmqFN6rEIhs71KM8MDowGQYD",
  "VR0RBBIwEIIOKi5zaG9wLmV4YW1wbGUwHQYDVR0OBBYEFHTsMiWc4lb1MFdMpmVV",
  "Lt9K+6nwMAoGCCqGSM49BAMCA0kAMEYCIQDbPYwZQ/oWZ6UAeh5H4MMU7bbPe9IR",
  "IshwvIIQFCLICwIhAPX4Cxr7JQ1V7Zx421xdAddhAQaT/YiIKVosfP0VHg8G",
  "-----END CERTIFICATE-----",
].join("\n");

/** `far.example`, 2049 to 2060; RFC 5280 wants four digits for the year after 2049. */
const later = [
  "-----BEGIN CERTIFICATE-----",
  "MIIBRTCB7KADAgECAgEDMAoGCCqGSM49BAMCMA4xDDAKBgNVBAMMA2ZhcjAgFw00",
  "OTAxMDEwMDAwMDBaGA8yMDYwMDEwMTAwMDAwMFowDjEMMAoGA1UEAwwDZmFyMFkw",
  "EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjQEqUD1pKN+WuNkWZ3x/uVFRd0QUmvUo",
  "GhYiNnpj34NOWGv9pT5Hw6YkWnAKt7yFNS2RyEvKyecVlTgJu/RVaqM5MDcwFgYD",
  "VR0RBA8wDYILZmFyLmV4YW1wbGUwHQYDVR0OBBYEFPbWJ+8zUc1zBP7Nw56ktQaF",
  "NvZAMAoGCCqGSM49BAMCA0gAMEUCIQDMpE4ogDnXRSxMfqqVxa65dVZ7aIFrazss",
  "EMzsS4rDdQIgbYRfE1tAd5bbYuBWjG1IwVmlsiLQvH7Xo2q/r2P8eLk=",
  "-----END CERTIFICATE-----",
].join("\n");

const read = (text: string): ReturnType<typeof readCertificates> => readCertificates(new TextEncoder().encode(text));

test("names and dates are read, of every certificate of a chain", () => {
  expect(read(`Bag Attributes\n${wildcard}\n${later}\n`)).toEqual([
    { notBeforeMs: Date.UTC(2025, 0, 1), notAfterMs: Date.UTC(2040, 0, 1), dnsNames: ["*.shop.example"] },
    { notBeforeMs: Date.UTC(2049, 0, 1), notAfterMs: Date.UTC(2060, 0, 1), dnsNames: ["far.example"] },
  ]);
});

test.each([
  ["nothing", ""],
  ["no PEM", "hush hush"],
  ["no base64", "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----"],
  ["other bytes", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"],
  ["one good and one bad", `${wildcard}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`],
])("%s is no certificate", (_what, text) => {
  expect(read(text)).toBeUndefined();
});

test("no bytes at all make it throw or hang", () => {
  const bytes = atob(wildcard.split("\n").slice(1, -1).join(""));
  for (let at = 0; at < bytes.length; at += 1) {
    const broken = btoa(`${bytes.slice(0, at)}\u00ff${bytes.slice(at + 1)}`);
    const text = `-----BEGIN CERTIFICATE-----\n${broken}\n-----END CERTIFICATE-----`;
    expect(read(text)?.length ?? 0).toBeLessThan(2);
  }
});

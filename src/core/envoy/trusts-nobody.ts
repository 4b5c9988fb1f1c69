/**
 * An authority whose key was thrown away when it was made, so that no certificate is signed by it: the list of somebody
 * who trusts nobody. Envoy wants a list wherever names in a certificate are compared.
 */
export const trustsNobody = `-----BEGIN CERTIFICATE-----
MIIBRjCB7aADAgECAgkB8BOZr4RL/YwwCgYIKoZIzj0EAwIwIDEeMBwGA1UEAwwV
a2lyaWthZSB0cnVzdHMgbm9ib2R5MB4XDTIwMDEwMTAwMDAwMFoXDTQ5MTIzMTAw
MDAwMFowIDEeMBwGA1UEAwwVa2lyaWthZSB0cnVzdHMgbm9ib2R5MFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE6P93d0/GcOgIHn2HcWQi09IZDz/FqlEtPXtCBtkF
ojpXxuNThtMs7AeyGxNQ1PFuwKShCFjFAZGRJjWaZV6oj6MQMA4wDAYDVR0TBAUw
AwEB/zAKBggqhkjOPQQDAgNIADBFAiARJsTPQhrpSC46yHGoJb0/7ogkgZSmXyTM
iAWYIewKiAIhAJjmSZKK6+nqeHUBON7H5McSvSYp23CC6/pJImF0wxhE
-----END CERTIFICATE-----
`;

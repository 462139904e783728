// The encryption key of test servers.

export const testKey = "dGVzdCBrZXkgdGVzdCBrZXkgdGVzdCBrZXkgMDEyMzQ=";

/** Shapes of token requests (F), of answers (A) and of calls (P) that services differ in. */
export const CLASSES: Readonly<Record<string, string>> = {
  F1: 'a form, id and secret form-encoded in a Basic header',
  F2: 'a form, id and secret as they are in a Basic header',
  F3: 'a form with id and secret',
  F4: 'JSON with id and secret',
  F5: 'JSON, Basic, and a scope that is an object',
  F6: 'an empty body, the grant in the query, Basic',
  F7: 'the grant in the query, the secret in a form',
  F8: 'a POST with everything in the query',
  F9: 'a GET with everything in the query',
  F10: 'a client certificate',
  F11: 'a client that signs a JWT',
  F12: 'the grant jwt-bearer without a client',
  F13: 'the grant saml2-bearer',
  F14: 'the grant password, with a client',
  F15: 'the grant refresh_token, also one that is replaced',
  F16: 'a grant of the service itself',
  F17: 'no grant_type',
  F18: 'other names for id and secret',
  F19: 'a client and a user at once',
  F20: 'another client_id in the body than in the header',
  F21: 'another word than Basic',
  F22: 'a parameter that is repeated',
  F23: 'a parameter of a form that is JSON',
  F24: 'further headers of the token request',
  F25: 'one service for several tenants',
  F26: 'a token that is got with the token of another credential',
  F27: 'no token: a key or a user on each call',
  F28: 'no token: a JWT that is signed here, on each call',
  A1: 'the lifetime is a number',
  A2: 'the lifetime is a text',
  A3: 'the lifetime has fractions',
  A4: 'the lifetime is 0',
  A5: 'no lifetime',
  A6: 'the lifetime is in ms',
  A7: 'a moment in place of a lifetime',
  A8: 'the token is further inside',
  A9: 'the token has another name',
  A10: 'the answer is the token, or a header has it',
  A11: 'the answer is a form',
  A12: 'another token_type, or none',
  A13: 'names in another spelling',
  A14: 'status 201',
  A15: 'a refusal with status 200',
  A16: 'a refusal as RFC 6749 has it',
  A17: 'a refusal with status 401',
  A18: 'a refusal without a body',
  A19: 'too many requests',
  A20: 'a service that is down',
  A21: 'a redirect',
  A22: 'the same token again',
  A23: 'a narrower scope, or none is told',
  A24: 'a scope that is null or a list',
  P1: 'Authorization: Bearer',
  P2: 'Authorization with another word, or none',
  P3: 'a header of its own',
  P4: 'the query',
  P5: 'a cookie',
  P6: 'further headers or parameters of each call',
  P7: 'the address of the API is in the answer',
  P8: 'a client certificate on each call',
}

/** Those that this version has no fixture for, and why. */
export const LATER: Readonly<Record<string, string>> = {
  F10: 'a credential has no client certificate yet; it is being built (`tls.certificate`)',
  P7: 'a token goes to hosts that the credential names, and an answer names none: write `baseUrl` once, with what the service told you',
  P8: 'as F10',
}

/** What services want that a credential cannot say in this version. */
export const NOT_YET: readonly {
  readonly what: string
  readonly services: string
  readonly instead: string
}[] = [
  {
    what: 'a client certificate, for the token or for each call',
    services: 'ADP, XSUAA and IAS with certificates',
    instead: 'it is being built; with XSUAA and IAS a binding with a secret works',
  },
  {
    what: 'a secret inside an object of the request',
    services: 'Tableau, Toast',
    instead: 'a `bearer` or `apiKey` credential with a token from a file',
  },
  {
    what: 'a session that is bought with a token, a chain of several calls',
    services: 'Veeva Vault, Salesforce Data Cloud, Docuware',
    instead: 'one token that is exchanged for another works: [credentials from credentials](credentials.md)',
  },
  {
    what: 'DPoP',
    services: 'Okta and Auth0 where the client demands it',
    instead: 'switch the demand off for this client',
  },
  {
    what: 'OAuth 1, requests that are signed by HMAC, logins in XML',
    services: '-',
    instead: '-',
  },
]

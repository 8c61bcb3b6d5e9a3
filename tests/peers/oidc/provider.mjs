// provider.mjs PORT: client_credentials by private_key_jwt only, JWT access tokens, JWKS at /jwks, token endpoint /token.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const lifetime = Number(process.env.TOKEN_LIFETIME ?? 300);
const clients = JSON.parse(readFileSync(process.env.CLIENTS, 'utf8'));
const scopes = [...new Set(clients.flatMap((client) => client.scope.split(' ')))];

/** Known late: the FHIR server that checks the tokens is told of this issuer before it has an address of its own. */
function audience() {
  const { AUDIENCE, AUDIENCE_FILE } = process.env;
  return AUDIENCE ?? (AUDIENCE_FILE ? readFileSync(AUDIENCE_FILE, 'utf8').trim() : 'http://127.0.0.1:8080/fhir');
}

const server = createServer();
server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: clients.map(({ client_id, alg, jwks, jwks_uri, scope }) => ({
      client_id, scope, ...(jwks_uri ? { jwks_uri } : { jwks }),
      token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg,
      grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
    })),
    scopes,
    // Its own fetch refuses loopback addresses: without this one no jwks_uri on 127.0.0.1 is ever read.
    fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['RS384', 'ES384'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true, defaultResource: audience, useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: scopes.join(' '), audience: audience(), accessTokenTTL: lifetime,
          accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  for (const event of ['server_error', 'grant.error']) {
    provider.on(event, (_, error) => console.error(event, error.error, error.error_detail ?? error.message));
  }
  server.on('request', provider.callback());
  console.log(`READY ${issuer}`);
});

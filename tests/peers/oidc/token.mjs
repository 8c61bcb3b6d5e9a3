// token.mjs KEYS NAME TOKEN_URL [SCOPE]: the answer to a SMART Backend Services token request, to try by hand.
// FAULT=exp|aud|nojti|nokid|alg|long makes the assertion wrong in that way; JTI=x fixes the jti.
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';

const [folder, name, url, scope] = process.argv.slice(2);
const fault = process.env.FAULT;
const jwk = JSON.parse(readFileSync(`${folder}/${name}.jwk.json`, 'utf8'));
const alg = fault === 'alg' ? (jwk.kty === 'RSA' ? 'RS256' : 'ES384') : jwk.alg;
const now = Math.floor(Date.now() / 1000);
const assertion = await new SignJWT(fault === 'nojti' ? {} : { jti: process.env.JTI ?? randomUUID() })
  .setProtectedHeader({ alg, typ: 'JWT', ...(fault === 'nokid' ? {} : { kid: jwk.kid }) })
  .setIssuer(name).setSubject(name).setAudience(fault === 'aud' ? 'https://elsewhere.example/token' : url)
  .setIssuedAt(now).setExpirationTime(now + (fault === 'exp' ? -60 : fault === 'long' ? 600 : 240))
  .sign(await importJWK({ ...jwk, alg }, alg));
const response = await fetch(url, {
  method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({
    grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion, ...(scope && { scope }) }),
});
console.error(`HTTP ${response.status}`);
console.log(await response.text());

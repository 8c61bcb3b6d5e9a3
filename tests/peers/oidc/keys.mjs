// keys.mjs FOLDER: the clients rs384 and es384: a PKCS#8 PEM (0600), a private JWK and a public JWKS for each, and clients.json.
import { mkdirSync, writeFileSync } from 'node:fs';
import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair } from 'jose';

const folder = process.argv[2];
mkdirSync(folder, { recursive: true, mode: 0o700 });
const scope = 'system/*.cruds system/Patient.rs system/CarePlan.cruds system/Goal.cruds system/Encounter.cruds system/DocumentReference.cruds';
const clients = [];
for (const alg of ['RS384', 'ES384']) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const name = alg.toLowerCase();
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  const facts = { alg, use: 'sig', kid };
  writeFileSync(`${folder}/${name}.pem`, await exportPKCS8(privateKey), { mode: 0o600 });
  writeFileSync(`${folder}/${name}.jwk.json`, JSON.stringify({ ...(await exportJWK(privateKey)), ...facts }), { mode: 0o600 });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), ...facts }] };
  writeFileSync(`${folder}/${name}.jwks.json`, JSON.stringify(jwks));
  clients.push({ client_id: name, alg, jwks, scope });
}
writeFileSync(`${folder}/clients.json`, JSON.stringify(clients));
console.log(`keys in ${folder}`);

/** Makes src/api/schema.d.ts from the OpenAPI document on standard input: `npm run types`. */
import { writeFileSync } from "node:fs";
import { json } from "node:stream/consumers";

import openapiTS, { astToString } from "openapi-typescript";

const HEAD = "// Made from the OpenAPI document by `npm run types`. Do not edit.\n\n";
const document = await json(process.stdin);
// Every failure is a problem, which api/problem.ts knows: told a thousand times it would be most of the file.
for (const path of Object.values(document.paths)) {
  for (const operation of Object.values(path)) {
    for (const status of Object.keys(operation.responses ?? {})) {
      if (!status.startsWith("2")) delete operation.responses[status];
    }
  }
}
const made = HEAD + astToString(await openapiTS(document));
if (process.argv.includes("--print")) process.stdout.write(made);
else writeFileSync(new URL("src/api/schema.d.ts", import.meta.url), made);

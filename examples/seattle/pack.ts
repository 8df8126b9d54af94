// Makes `rounds.bin.br` from the published matrices:
//
//     node examples/seattle/pack.ts <folder with SeattleData_1 to SeattleData_688>

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { DEVICES, packRounds, SLICES } from "./rounds.ts";
import { SEATTLE_FILE } from "./seattle.ts";

const folder = process.argv[2];
if (folder === undefined) throw new Error("name the folder that holds SeattleData_1");
const matrices = Array.from({ length: SLICES }, (_, slice) =>
  readMatrix(join(folder, `SeattleData_${slice + 1}`)),
);
const packed = packRounds(matrices);
const { BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
const params = { [BROTLI_PARAM_LGWIN]: 24, [BROTLI_PARAM_SIZE_HINT]: packed.length };
writeFileSync(SEATTLE_FILE, brotliCompressSync(packed, { params }));

/** Values such as `0.17` in hundredths; throws when one is not a whole number of them. */
function readMatrix(file: string): Uint16Array {
  const cells = readFileSync(file, "utf8").trim().split(/\s+/);
  if (cells.length !== DEVICES * DEVICES) throw new Error(`${file} has ${cells.length} values`);
  return Uint16Array.from(cells, (cell) => {
    const hundredths = Math.round(Number(cell) * 100);
    if (hundredths / 100 !== Number(cell) || hundredths > 0xffff) throw new Error(`${file} holds ${cell}`);
    return hundredths;
  });
}

// Every schema in Ajv without options, and real files under it.
const fs = require('fs');
const path = require('path');
const [, , work] = process.argv;
const modules = path.join(work, 'node_modules');
const Ajv = require(path.join(modules, 'ajv/dist/2020')).default;
const YAML = require(path.join(modules, 'yaml'));

const read = (file) => fs.readFileSync(file, 'utf8');
const real = (name) => path.join(work, 'real', name);
const below = (folder, ending) =>
  fs.readdirSync(folder).filter((name) => name.endsWith(ending)).map((name) => path.join(folder, name));
const lines = () => read(real('lines.jsonl')).trim().split('\n').map((line) => JSON.parse(line));
const yaml = (file) => YAML.parse(read(file));
const files = {
  config: () => below('rules/profiles', '.yaml').map(yaml),
  report: () => [real('report.json'), real('report-policy.json')].map((file) => JSON.parse(read(file))),
  'report-line': lines,
  rules: () => below('rules', '.yaml').map(yaml),
  snapshot: () => fs.readdirSync('fixtures').map((name) => `fixtures/${name}/snapshot.yaml`).filter(fs.existsSync).map(yaml),
};
let checked = 0;
for (const [kind, documents] of Object.entries(files)) {
  const validate = new Ajv().compile(JSON.parse(read(path.join(work, 'schema', `${kind}.json`))));
  for (const document of documents()) {
    checked += 1;
    if (!validate(document)) throw new Error(`${kind}: ${JSON.stringify(validate.errors.slice(0, 3))}`);
    const wrong = kind === 'config' ? { ...document, nonsense: 1 } : Object.fromEntries(Object.entries(document).slice(1));
    const first = Object.keys(document)[0];
    if (kind !== 'snapshot' && validate(wrong)) throw new Error(`${kind}: taken without ${first}`);
  }
}
console.log(`Ajv: ${Object.keys(files).length} schemas, ${checked} documents`);

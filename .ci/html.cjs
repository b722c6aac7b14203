// Opens every page of a folder in a browser, in both widths and both colour schemes, and says what is wrong with it.
// Called by .ci/html: node html.cjs BROWSER FOLDER
const { readFileSync, readdirSync } = require("node:fs");
const path = require("node:path");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [browserPath, folder] = process.argv.slice(2);
const faults = [];

async function look(browser, file, width, scheme) {
  const name = path.basename(file, ".html");
  const here = `${name} at ${width} px, ${scheme}`;
  const page = await browser.newPage();
  const fault = (text) => faults.push(`${here}: ${text}`);
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && fault(`console: ${message.text()}`));
  page.on("pageerror", (error) => fault(`script: ${error.message}`));
  page.on("request", (request) => /^(file|data):/.test(request.url()) || fault(`asks for ${request.url()}`));
  await page.setViewport({ width, height: 900, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(`file://${file}`);
  const scroll = await page.evaluate(() => document.documentElement.scrollWidth);
  if (scroll > width) fault(`the page is ${scroll} px wide`);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const clip = { x: 0, y: 0, width, height: Math.min(height, 9000) };
  const picture = path.join(folder, `${name}-${width}-${scheme}.png`);
  await page.screenshot({ path: picture, clip, captureBeyondViewport: true });
  // What is folded must be accessible too.
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  const opened = await page.evaluate(() => document.documentElement.scrollWidth);
  if (opened > width) fault(`with everything unfolded the page is ${opened} px wide`);
  page.removeAllListeners("console");
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run());
  for (const { id, impact, nodes } of result.violations) {
    const text = `axe: ${id} (${impact}) at ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ")}`;
    if (["serious", "critical"].includes(impact)) fault(text);
    else console.log(`remark: ${here}: ${text}`);
  }
  if (width === 1280 && scheme === "dark") await page.pdf({ path: path.join(folder, `${name}.pdf`), format: "A4", timeout: 120000 });
  await page.close();
}

(async () => {
  const { launch } = require("puppeteer-core");
  const browser = await launch({ executablePath: browserPath, headless: true, args: ["--no-sandbox", "--disable-gpu"] });
  const files = readdirSync(folder).filter((file) => file.endsWith(".html")).sort();
  let looks = 0;
  for (const file of files) {
    for (const width of [1280, 400, 320]) {
      for (const scheme of width === 320 ? ["light"] : ["light", "dark"]) {
        await look(browser, path.join(folder, file), width, scheme);
        looks += 1;
      }
    }
  }
  await browser.close();
  faults.forEach((fault) => console.error(`fault: ${fault}`));
  console.log(`${files.length} pages, ${looks} looks, ${faults.length} faults`);
  process.exitCode = faults.length > 0 || files.length === 0 ? 1 : 0;
})();

// Uses the pages of `stslint serve --demo` as people do, and says what is wrong with them.
// Called by .ci/serve: node serve.cjs BROWSER ADDRESS FOLDER
const { readFileSync } = require("node:fs");
const path = require("node:path");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const { launch } = require("puppeteer-core");

const [browserPath, address, folder] = process.argv.slice(2);
const faults = [];
let looks = 0;

// A page that tells of console errors, of requests to anybody else, and of nothing else.
async function open(browser, name, { width = 1280, scheme = "light", script = true } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(60000);
  await page.setJavaScriptEnabled(script);
  await page.setViewport({ width, height: 900, deviceScaleFactor: 1 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  page.here = `${name} at ${width} px, ${scheme}${script ? "" : ", without script"}`;
  page.on("console", (message) => message.type() === "error" && !/status of (403|404|422)/.test(message.text()) && faults.push(`${page.here}: console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`${page.here}: script: ${error.message}`));
  page.on("request", (request) => request.url().startsWith(address) || request.url().startsWith("data:") || faults.push(`${page.here}: asks for ${request.url()}`));
  return page;
}

async function look(page, name) {
  looks += 1;
  const width = page.viewport().width;
  const scroll = await page.evaluate(() => document.documentElement.scrollWidth);
  if (scroll > width) faults.push(`${page.here}: ${name} is ${scroll} px wide`);
  await page.screenshot({ path: path.join(folder, `${name}-${width}-${looks}.png`), captureBeyondViewport: true, clip: { x: 0, y: 0, width, height: 1800 } });
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  for (const { id, impact, nodes } of result.violations) {
    faults.push(`${page.here}: axe at ${name}: ${id} (${impact}) at ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ")}`);
  }
}

// Types a domain, presses Enter, and waits for the result.
async function validate(page, domain) {
  await page.goto(address);
  await page.type("#domain", domain);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".observation");
  const heading = await page.$eval("h1", (heading) => heading.textContent);
  if (!heading.includes(domain)) faults.push(`${page.here}: the result is of ${heading}`);
}

(async () => {
  const browser = await launch({
    executablePath: browserPath, headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  // The whole way, with script.
  for (const width of [360, 768, 1280]) {
    for (const scheme of ["light", "dark"]) {
      const page = await open(browser, "the whole way", { width, scheme });
      await page.goto(address);
      await look(page, "first");
      await validate(page, "mx-not-covered.example");
      await look(page, "result");
      const here = page.url().split("?")[0];
      for (const part of ["what-if", "proposal", "compare"]) {
        await page.goto(`${here}/${part}`);
        await look(page, part);
      }
      for (const part of ["lint", "rules", "rules/mx-covered", "about", "facts", "nothing"]) {
        await page.goto(`${address}${part}`);
        await look(page, part.replace("/", "-"));
      }
      await page.close();
    }
  }
  // Without script: the page fetches itself again until there is a result.
  const plain = await open(browser, "without script", { script: false });
  await plain.goto(address);
  await plain.type("#domain", "host-expired.example");
  await plain.click("button[type=submit]");
  await plain.waitForSelector(".observation");
  await plain.close();
  // By keyboard alone: Tab leads past the skip link and the site's links into the field.
  const keys = await open(browser, "by keyboard");
  await keys.goto(address);
  let reached = false;
  for (let press = 0; press < 12 && !reached; press += 1) {
    await keys.keyboard.press("Tab");
    reached = await keys.evaluate(() => document.activeElement?.id === "domain");
  }
  if (!reached) faults.push("by keyboard: the field is not reached");
  await keys.keyboard.type("perfect.example");
  await keys.keyboard.press("Tab");
  await keys.keyboard.press("Space");
  await keys.waitForSelector(".observation");
  await keys.close();
  // A wrong domain is told beside the field, and the field keeps it.
  const wrong = await open(browser, "a wrong domain");
  await wrong.goto(address);
  await wrong.type("#domain", "127.0.0.1");
  await wrong.keyboard.press("Enter");
  await wrong.waitForSelector("[role=alert]");
  if ((await wrong.$eval("#domain", (field) => field.value)) !== "127.0.0.1") faults.push("a wrong domain: the field is empty");
  await look(wrong, "wrong");
  // What if I published this?
  await validate(wrong, "mx-not-covered.example");
  await wrong.goto(`${wrong.url().split("?")[0]}/what-if`);
  await wrong.$eval("#field-policy", (field) => { field.value = field.value.replace("max_age", "mx: mx1.in.backup-mx.example\nmax_age"); });
  await Promise.all([wrong.waitForNavigation(), wrong.click("form.texts button")]);
  const judged = await wrong.$eval("main", (main) => main.textContent);
  if (judged.includes("Needs repair")) faults.push(`what if: the repaired policy is still called faulty: ${judged.slice(0, 400)}`);
  await look(wrong, "judged");
  await browser.close();
  faults.forEach((fault) => console.error(`fault: ${fault}`));
  console.log(`${looks} looks, ${faults.length} faults`);
  process.exitCode = faults.length > 0 || looks === 0 ? 1 : 0;
})().catch((error) => { console.error(`fault: ${error.stack}`); process.exitCode = 1; });

"""Runs stslint against the servers that .ci/acceptance started, and holds every fact against what dig, openssl,
curl and smtplib say of the same servers."""

import base64
import hashlib
import json
import os
import re
import smtplib
import ssl
import subprocess
import sys

ENV = os.environ
DIR, STSLINT = ENV["dir"], ENV["stslint"]
HTTPS, SMTP = ENV["https_port"], ENV["smtp_port"]
counts = {"ok": 0, "FAILED": 0}


def run(*command, code=None):
    # Servers send what they like: not all of it is text.
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, stdin=subprocess.DEVNULL)
    if code is not None and done.returncode not in code:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def same(what, ours, theirs):
    word = "ok" if ours == theirs else "FAILED"
    counts[word] += 1
    print(f"{word}: {what}: {ours!r}" + ("" if ours == theirs else f", and not {theirs!r}"))


def network(resolver=None, dnssec="validate"):
    resolver = resolver or f"127.0.0.1:{ENV['dns_port']}"
    return ["--resolver", resolver, "--dnssec", dnssec, "--trust-anchor", f"{DIR}/ksk-.", "--roots", f"{DIR}/root.pem",
            "--https-port", HTTPS, "--smtp-port", SMTP, "--timeout", "5"]


def collect(domain, *more, resolver=None, dnssec="validate", prefix=()):
    out = f"{DIR}/snapshot.json"
    run(*prefix, STSLINT, "collect", domain, *network(resolver, dnssec), *more, "-o", out, code=[0])
    with open(out, encoding="utf-8") as file:
        return json.load(file)


def findings(domain):
    done = run(STSLINT, "check", domain, *network(), "--format", "json", "--fail-on", "never", code=[0])
    checks = json.loads(done.stdout)["results"][0]["checks"]
    return sorted(c["rule"] for c in checks if c["outcome"] == "fail" and c["severity"] != "note")


def wait_for_servers():
    for _ in range(100):
        seen = collect("right.example")
        if seen.get("policy") and seen["mx_hosts"][0]["probes"][0].get("ehlo_after_tls"):
            return
    sys.exit(f"the servers do not come up: {json.dumps(seen, indent=1)}")


def dig(name, kind, port, *options):
    return run("dig", "@127.0.0.1", "-p", port, name, kind, *options, code=[0]).stdout


def dig_proof(name, kind):
    """What the validating unbound proves, as dig shows it."""
    said = dig(name, kind, ENV["dns_port"], "+dnssec")
    flags = re.search(r"flags: ([a-z ]*);", said).group(1).split()
    status = re.search(r"status: (\w+),", said).group(1)
    return "bogus" if status == "SERVFAIL" else "secure" if "ad" in flags else "insecure"


def compare_dns():
    wait_port, other_port = ENV["dns_port"], ENV["dns_port2"]
    for port, who in [(wait_port, "through a validating resolver"), (other_port, "through one that does not validate")]:
        for domain in ["right", "redirect", "bogus", "lapsed"]:
            seen = collect(f"{domain}.example", "--no-smtp", resolver=f"127.0.0.1:{port}")
            for field, kind, name in [("record", "TXT", f"_mta-sts.{domain}.example"), ("mx", "MX", f"{domain}.example")]:
                same(f"DNSSEC proof of {name} {kind} {who}", seen[field].get("dnssec"), dig_proof(name, kind))
            texts = seen["record"].get("records", [])
            same(f"answer for {domain} {who}", [r["strings"] for r in texts],
                 [re.findall(r'"([^"]*)"', line) for line in dig(f"_mta-sts.{domain}.example", "TXT", port, "+cd", "+short").splitlines()])
    absent = collect("right.example", "--no-smtp")
    for lookup in absent["misplaced"]:
        same(f"absence of {lookup['name']}", lookup.get("dnssec"), dig_proof(lookup["name"], "TXT"))
    same("TLSA", [r["association"] for r in absent["mx_hosts"][0]["tlsa"]["records"]],
         [line.split(" ", 3)[3].replace(" ", "").lower() for line in dig("_25._tcp.mx.right.example", "TLSA", wait_port, "+short").splitlines()])
    believed = {d: collect(f"{d}.example", "--no-smtp", dnssec="trust-ad")["record"] for d in ["right", "redirect", "bogus"]}
    same("trust-ad", {d: (r["outcome"], r.get("dnssec")) for d, r in believed.items()},
         {"right": ("answer", "secure"), "redirect": ("answer", "insecure"), "bogus": ("servfail", None)})
    blind = collect("right.example", "--no-smtp", dnssec="trust-ad", resolver=f"127.0.0.1:{other_port}")
    same("trust-ad where nobody validates", blind["record"]["dnssec"], "indeterminate")
    same("DNSSEC off", collect("right.example", "--no-smtp", dnssec="off")["record"]["dnssec"], "unchecked")
    for resolver in [f"tls://127.0.0.1:{ENV['dot_port']}#dns.example", f"https://127.0.0.1:{ENV['doh_port']}/dns-query#dns.example"]:
        seen = collect("right.example", "--no-smtp", resolver=resolver)
        same(f"through {resolver.split(':')[0]}://", (seen["record"]["outcome"], seen["record"].get("dnssec")), ("answer", "secure"))
    wrong = collect("right.example", "--no-smtp", resolver=f"tls://127.0.0.1:{ENV['dot_port']}#other.example")
    same("a resolver with another name in its certificate", wrong["record"]["outcome"], "network")
    authoritative = collect("right.example", "--no-smtp", "--authoritative", "--name-server-port", ENV["nsd_port"])
    same("name servers", [(s["name"], s["address"], s["record"]["outcome"]) for s in authoritative["name_servers"]],
         [("ns.example", "127.0.0.1", "answer")])


def compare_system_resolver():
    """/etc/resolv.conf, replaced for this one process alone."""
    with open(f"{DIR}/resolv.conf", "w", encoding="utf-8") as file:
        file.write("nameserver 127.53.53.53\noptions timeout:1\n")
    mount = f"mount --bind {DIR}/resolv.conf /etc/resolv.conf && exec \"$@\""
    prefix = ["unshare", "--mount", "sh", "-c", mount, "sh"]
    if run(*prefix, "true").returncode != 0:
        print("skipped: the system's resolver cannot be replaced here (unshare --mount is not allowed)")
        counts["FAILED"] += 1 if ENV.get("CI") else 0
        return
    seen = collect("right.example", "--no-smtp", resolver="system", prefix=prefix)
    same("the system's resolver", (seen["collection"]["resolver"], seen["record"]["outcome"]), ("system", "answer"))


def s_client(address, port, name, *more):
    return run("openssl", "s_client", "-connect", f"{address}:{port}", "-servername", name, "-CAfile", f"{DIR}/root.pem",
               "-verify_hostname", name, "-showcerts", *more).stdout


def fingerprints(said):
    return [sha256(pem) for pem in re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", said, re.S)]


def sha256(pem):
    return hashlib.sha256(base64.b64decode("".join(pem.splitlines()[1:-1]))).hexdigest()


# The verdicts of `openssl verify`, as X509_V_ERR_* numbers, and ours: chain apart from name and dates.
CODES = {0: ("trusted", "ok"), 10: ("trusted", "expired"), 62: ("trusted", "name"), 18: ("self_signed", "issuer"),
         20: ("missing_intermediate", "issuer"), 21: ("missing_intermediate", "issuer")}


def compare_tls(what, tls, said):
    same(f"{what}: chain", [c["sha256"] for c in tls["chain"]], fingerprints(said))
    same(f"{what}: TLS version", tls["version"], re.search(r"New, (TLSv[0-9.]+), Cipher", said).group(1))
    cipher = re.search(r"Cipher is (\S+)", said).group(1)
    listed = [line.split() for line in run("openssl", "ciphers", "-stdname").stdout.splitlines()]
    iana = next(words[0] for words in listed if cipher in (words[0], words[2]))
    same(f"{what}: cipher", tls["cipher"], iana)
    code = int(re.findall(r"Verify return code: (\d+)", said)[-1])
    trust, word = CODES[code]
    same(f"{what}: verdict of the chain (openssl: {code})", tls["trust"]["verdict"], trust)
    verifier = tls["verifier"]
    words = {"ok": verifier == "ok", "expired": "expired" in verifier, "name": "does not name" in verifier, "issuer": "vouches" in verifier or "issuer" in verifier}
    same(f"{what}: verifier ({verifier})", words[word], True)
    leaf = tls["chain"][0]
    same(f"{what}: DNS-IDs", leaf["dns_ids"], dns_ids(leaf["pem"]))


def dns_ids(pem):
    with open(f"{DIR}/leaf-seen.pem", "w", encoding="utf-8") as file:
        file.write(pem)
    said = run("openssl", "x509", "-in", f"{DIR}/leaf-seen.pem", "-noout", "-ext", "subjectAltName", code=[0]).stdout
    return re.findall(r"DNS:([^,\s]+)", said)


def compare_https():
    for domain in ["right", "redirect", "bare", "wrong", "expired", "own"]:
        name = f"mta-sts.{domain}.example"
        probe = collect(f"{domain}.example", "--no-smtp")["policy_host"]["probes"][0]
        compare_tls(name, probe["tls"], s_client("127.0.0.1", HTTPS, name, "-alpn", "h2,http/1.1"))
        written = "%{http_code} %{http_version}\n"
        url = f"https://{name}:{HTTPS}/.well-known/mta-sts.txt"
        curl = run("curl", "-sk", "--http1.1", "-D", f"{DIR}/headers", "-o", f"{DIR}/body", "-w", written,
                   "--resolve", f"{name}:{HTTPS}:127.0.0.1", url, code=[0]).stdout.split()
        response = probe["response"]
        same(f"{name}: status and version", [str(response["status"]), response["version"]], [curl[0], "HTTP/" + curl[1]])
        with open(f"{DIR}/headers", encoding="latin-1") as file:
            theirs = [line.strip().split(": ", 1) for line in file if ": " in line]
        keep = lambda fields: sorted((k.lower(), v) for k, v in fields if k.lower() != "date")
        same(f"{name}: header fields", keep((h["name"], h["value"]) for h in response["headers"]), keep(theirs))
        with open(f"{DIR}/body", "rb") as file:
            body = file.read()
        same(f"{name}: body's length", response["body_length"], len(body))
    policy = collect("right.example", "--no-smtp")["policy"]["body"]
    with open(f"{DIR}/www/.well-known/mta-sts.txt", "rb") as file:
        same("policy, octet for octet", policy.encode(), file.read())


def talk(address, name):
    """The replies to EHLO before and after STARTTLS, as smtplib reads them, without the first line's greeting."""
    with smtplib.SMTP(address, int(SMTP), local_hostname="[127.0.0.1]", timeout=10) as client:
        before = client.ehlo()[1].decode().splitlines()
        if not client.has_extn("starttls"):
            return before, None
        context = ssl.create_default_context(cafile=f"{DIR}/root.pem")
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client.starttls(context=context)
        return before, client.ehlo()[1].decode().splitlines()


def lost():
    log = "".join(open(f"{DIR}/log-{name}", encoding="utf-8").read() for name in ["tls", "plain"])
    # The look at old versions of TLS breaks a handshake off, and no other connection is.
    lines = [line for line in log.splitlines() if "SSL_accept" not in line and "after STARTTLS" not in line]
    return len(re.findall("lost connection|timeout after", "\n".join(lines)))


def compare_smtp():
    same("connections that Postfix lost in all of the above", lost(), 0)
    for domain, address, name in [("right", "127.0.0.11", "mx.right.example"), ("plain", "127.0.0.12", "mx.plain.example")]:
        probe = collect(f"{domain}.example")["mx_hosts"][0]["probes"][0]
        before, after = talk(address, name)
        same(f"{name}: EHLO", probe["ehlo"]["lines"], before)
        same(f"{name}: EHLO after TLS", probe.get("ehlo_after_tls", {}).get("lines"), after)
        same(f"{name}: the last line is QUIT", probe["transcript"][-1], {"from": "client", "text": "QUIT"})
        if after:
            same(f"{name}: without SNI", probe["without_sni"], {"handshake": True})
            compare_tls(name, probe["tls"], s_client(address, SMTP, name, "-starttls", "smtp"))
            old = s_client(address, SMTP, name, "-starttls", "smtp", "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")
            same(f"{name}: TLS 1.1", probe["tls"]["older_version"], None if "Cipher is (NONE)" in old else "TLSv1.1")


def compare_old():
    """A policy host and an MX host that speak nothing newer than TLS 1.1."""
    seen = collect("old.example")
    https, smtp = seen["policy_host"]["probes"][0], seen["mx_hosts"][0]["probes"][0]
    for what, probe in [("policy host", https), ("MX host", smtp)]:
        said = probe["tls"]["failure"]["detail"]
        same(f"TLS 1.1 {what}: {said}", "neither TLS 1.2 nor TLS 1.3" in said, True)
        same(f"TLS 1.1 {what}: what it chooses", probe["tls"]["second_look"]["version"], "TLSv1.1")
        same(f"TLS 1.1 {what}: handshake and kind", (probe["connected"], probe["tls"]["handshake"], probe["failure"]["kind"]), (True, False, "tls_alert"))


def compare_legacy():
    """An MX host with RSA key exchange alone: the second look sees what OpenSSL agrees on with it, and the same chain."""
    address, name = "127.0.0.14", "mx.legacy.example"
    tls = collect("legacy.example")["mx_hosts"][0]["probes"][0]["tls"]
    said = s_client(address, SMTP, name, "-starttls", "smtp")
    same("RSA key exchange: handshake", tls["handshake"], False)
    same("RSA key exchange: cipher suite", tls["second_look"]["cipher"], "TLS_RSA_WITH_AES_128_CBC_SHA")
    same("RSA key exchange: as OpenSSL has it", bool(re.search(r"Cipher(?: is|\s*:) AES128-SHA", said)), True)
    same("RSA key exchange: the certificate's trust", tls["trust"]["verdict"], "trusted")
    same("RSA key exchange: TLS 1.0 and 1.1", tls["older_version"], None)


def compare_findings():
    """These rules, and no others of severity error or warning, fail."""
    for domain, rules in {
        "right": [],
        "redirect": ["host-redirect"],
        "bare": ["host-cert-trusted"],
        "wrong": ["host-cert-name"],
        "expired": ["host-cert-valid-now"],
        "own": ["host-cert-trusted"],
        "plain": ["dane-secure", "host-cert-name", "mx-covered", "smtp-starttls-offered"],
        "legacy": ["dane-secure", "host-cert-name", "mx-covered", "smtp-tls-legacy"],
    }.items():
        same(f"findings of {domain}.example", findings(f"{domain}.example"), rules)


def compare_bulk():
    """Many domains in one run: one file, and one probe of the host that they share."""
    out, names = f"{DIR}/all.jsonl", [f"{d}.example" for d in ["right", "redirect", "bare", "wrong", "expired", "own"]]
    before = open(f"{DIR}/log-tls", encoding="utf-8").read().count(" connect from ")
    run(STSLINT, "collect", *names, *network(), "-o", out, code=[0])
    after = open(f"{DIR}/log-tls", encoding="utf-8").read().count(" connect from ")
    with open(out, encoding="utf-8") as file:
        same("domains of a bulk run", [json.loads(line)["domain"] for line in file], names)
    same("connections to the shared MX host: with SNI, without, and with old versions of TLS", after - before, 3)


wait_for_servers()
for compare in [compare_dns, compare_system_resolver, compare_https, compare_smtp, compare_old, compare_legacy, compare_bulk, compare_findings]:
    compare()
print(f"acceptance: {counts['ok']} passed, {counts['FAILED']} failed")
sys.exit(1 if counts["FAILED"] else 0)

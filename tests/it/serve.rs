//! `stslint serve` from outside: the whole way of a visitor without script, the API, the limits, and the end without warning.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Command;

use serde_json::{Value, json};

use crate::service::Service;

#[test]
fn a_visitor_without_script_goes_the_whole_way() {
    let service = Service::start(&["--history"]);
    let first = service.get("/");
    assert!(first.status == 200 && first.body.contains("<form method=\"post\" action=\"/check\""), "{}", first.body);
    let policy = first.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");

    let wrong = service.form("/check", "domain=127.0.0.1");
    assert!(wrong.status == 422 && wrong.body.contains("role=\"alert\""), "{}", wrong.body);

    let (path, removal) = service.check("https%3A%2F%2Fmta-sts.mx-not-covered.example%2F");
    let result = service.get(&path);
    assert!(result.body.contains("mx-covered") && result.body.contains("Observed on"), "{}", result.body);
    assert_eq!(result.header("x-robots-tag").as_deref(), Some("noindex, nofollow"));
    assert!(!result.body.contains("removal="), "only whoever made it may remove it");
    assert!(service.get(&format!("{path}?removal={removal}")).body.contains("removal="));

    let snapshot = service.get(&format!("{path}/download?format=snapshot"));
    assert_eq!(snapshot.json()["domain"], "mx-not-covered.example");
    for format in ["json", "sarif", "markdown"] {
        assert_eq!(service.get(&format!("{path}/download?format={format}")).status, 200, "{format}");
    }
    assert!(service.get(&format!("{path}/proposal")).body.contains("mode: testing"));

    let edit = service.get(&format!("{path}/what-if"));
    assert!(edit.body.contains("mx: mx1.mx-not-covered.example"), "{}", edit.body);
    let policy = "version: STSv1%0D%0Amode: enforce%0D%0Amx: mx1.mx-not-covered.example%0D%0Amx: mx1.in.backup-mx.example%0D%0Amax_age: 1209600%0D%0A";
    let judged = service.form(&format!("{path}/what-if"), &format!("policy={}", policy.replace(' ', "+")));
    assert!(judged.status == 200 && !judged.body.contains("Needs repair"), "{}", judged.body);
    assert!(!judged.body.contains("enforce\\r"), "{}", judged.body);

    assert!(service.get("/history/mx-not-covered.example").body.contains(&path));
    let id = path.trim_start_matches("/r/");
    assert!(service.get(&format!("{path}/compare?with={id}")).body.contains("New findings: 0"));
    assert!(service.get("/badge/mx-not-covered.example.svg").body.contains("1 error"));
    assert!(service.get("/badge/perfect.example.svg").body.contains("not checked lately"));

    let guess = service.form(&format!("{path}/remove"), "removal=00000000000000000000000000000000");
    assert_eq!(guess.status, 403);
    assert_eq!(service.form(&format!("{path}/remove"), &format!("removal={removal}")).status, 200);
    assert_eq!(service.get(&path).status, 404);
}

#[test]
fn texts_are_judged_without_a_domain() {
    let service = Service::start(&[]);
    let judged = service.form("/lint", "record=v%3DSTSv1%3B+id%3Da-b&policy=&tlsrpt=&mx=");
    assert!(judged.status == 200 && judged.body.contains("record-id-format"), "{}", judged.body);
    let hostile = service.form("/lint", "record=%3C/textarea%3E%3Cscript%3Ealert(1)%3C/script%3E");
    assert!(hostile.status == 200 && !hostile.body.contains("<script>alert"), "{}", hostile.body);
}

#[test]
fn many_clicks_are_one_collection() {
    let service = Service::start(&[]);
    let ids: BTreeSet<String> = std::thread::scope(|scope| {
        let click = || {
            let location = service.form("/check", "domain=perfect.example&smtp=on").header("location").unwrap();
            location.split('?').next().unwrap().to_owned()
        };
        let clicks: Vec<_> = (0..60).map(|_| scope.spawn(click)).collect();
        clicks.into_iter().map(|click| click.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 1, "{ids:?}");
    let metrics = service.get("/metrics").body;
    assert!(metrics.contains("stslint_serve_checks_begun_total 1\n"), "{metrics}");
    assert!(metrics.contains("stslint_serve_checks_from_cache_total 59\n"), "{metrics}");
}

#[test]
fn limits_say_when_the_next_check_is_possible() {
    let service = Service::start(&["--per-client", "2", "--trusted-proxies", "1"]);
    let ask = |domain: &str, client: &str| {
        let headers = format!("X-Forwarded-For: 198.51.100.7, {client}\r\n");
        service.post("/check", "application/x-www-form-urlencoded", &format!("domain={domain}"), &headers)
    };
    assert_eq!(ask("perfect.example", "192.0.2.1").status, 303);
    assert_eq!(ask("none.example", "192.0.2.1").status, 303);
    let refused = ask("testing.example", "192.0.2.1");
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() <= 61);
    assert!(refused.body.contains("The next one is possible in"), "{}", refused.body);
    assert_eq!(ask("perfect.example", "192.0.2.1").status, 303, "what is there already is never limited");
    assert_eq!(ask("testing.example", "192.0.2.2").status, 303, "nor is somebody else");
}

#[test]
fn programs_get_results_and_problem_details() {
    let service = Service::start(&[]);
    let ask = |body: &str| service.post("/api/v1/checks", "application/json", body, "");
    let begun = ask(&json!({"domain": "bad-id.example", "smtp": false}).to_string());
    assert!(begun.status == 202 || begun.status == 200, "{}", begun.body);
    let location = begun.header("location").unwrap();
    let report = service.until_done(&location).json();
    assert_eq!(report["results"][0]["domain"], "bad-id.example");
    assert_eq!(ask(&json!({"domain": "bad-id.example", "smtp": false}).to_string()).status, 200);
    for format in ["html", "markdown", "sarif", "snapshot"] {
        assert_eq!(service.get(&format!("{location}?format={format}")).status, 200, "{format}");
    }
    let lint = service.post("/api/v1/lint", "application/json", &json!({"policy": "mode: x"}).to_string(), "");
    assert!(lint.json()["summary"]["errors"].as_u64().unwrap() > 0);

    let cases = [
        (ask("{"), 400),
        (ask("{}"), 422),
        (ask(&json!({"domain": "[::1]"}).to_string()), 422),
        (ask(&json!({"domain": "a.example", "resolver": "127.0.0.1"}).to_string()), 422),
        (service.post("/api/v1/checks", "text/plain", "{}", ""), 415),
        (service.get("/api/v1/checks/00000000000000000000000000000000"), 404),
        (service.get("/api/v1/checks/..%2f..%2fetc"), 404),
        (service.get(&format!("{location}?format=exe")), 400),
        (service.get(&format!("{location}?format=json&format=json")), 400),
        (service.post("/api/v1/checks?max_age=soon", "application/json", "{}", ""), 400),
        (service.post("/api/v1/lint", "application/json", &"a".repeat(300_000), ""), 413),
        (service.get("/api/v1/checks"), 405),
        (service.get("/api/v1/nothing"), 404),
    ];
    for (answer, status) in cases {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("content-type").as_deref(), Some("application/problem+json"));
        assert_eq!(answer.json()["status"], status);
    }
    assert_eq!(service.get("/api/v1/openapi.json").json()["openapi"], "3.1.0");
}

#[test]
fn nothing_is_lost_when_the_process_ends_without_warning() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.db");
    let options = ["--store", store.to_str().unwrap()];
    let path = {
        let service = Service::start(&options);
        service.check("perfect.example").0
        // Dropping it kills it.
    };
    let service = Service::start(&options);
    let result = service.get(&path);
    assert!(result.status == 200 && result.body.contains("perfect.example"), "{}", result.body);
}

#[test]
fn a_check_that_a_killed_process_did_not_end_goes_on_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.db");
    let options = ["--store", store.to_str().unwrap()];
    let paths: Vec<String> = {
        let service = Service::start(&options);
        let domains =
            ["perfect.example", "mx-not-covered.example", "bad-id.example", "none.example", "testing.example"];
        let ask = |domain| service.form("/check", &format!("domain={domain}&smtp=on")).header("location").unwrap();
        domains.iter().map(ask).map(|location| location.split('?').next().unwrap().to_owned()).collect()
        // Dropping it kills it, while some of them wait or run.
    };
    let service = Service::start(&options);
    for path in &paths {
        let result = service.until_done(path);
        assert!(result.status == 200 && result.body.contains("Observed on"), "{path}: {}", result.body);
    }
}

#[test]
fn what_is_not_wanted_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("opted-out.txt");
    std::fs::write(&list, "perfect.example # asked by mail\n").unwrap();
    let service = Service::start(&["--opt-out", list.to_str().unwrap()]);
    assert_eq!(service.form("/check", "domain=mail.perfect.example").status, 403);
    let headers = "Sec-Fetch-Site: cross-site\r\n";
    let foreign = service.post("/check", "application/x-www-form-urlencoded", "domain=none.example", headers);
    assert_eq!(foreign.status, 403);
    for (answer, status) in [
        (service.get("/?domain=a&domain=b"), 400),
        (service.get("/check"), 405),
        (service.post("/check", "text/plain", "domain=none.example", ""), 415),
        (service.form("/lint", &format!("policy={}", "a".repeat(300_000))), 413),
    ] {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains("Back to the first page"), "{}", answer.body);
    }
    for path in ["/nothing", "/r/1", "/rules/no-such-rule", "/history/none.example", "/.well-known/security.txt"] {
        assert_eq!(service.get(path).status, 404, "{path}");
    }
    for path in ["/rules", "/rules/mx-covered", "/facts", "/about", "/healthz", "/robots.txt", "/style.css", "/app.js"]
    {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
}

#[test]
fn tls_reports_are_received_for_the_operators_domains_alone() {
    let report = std::fs::read_to_string("fixtures/tls-reports/all-verified.json").unwrap();
    let service = Service::start(&["--reports-for", "example.com"]);
    let send = |media_type: &str, body: &str| service.post("/tlsrpt", media_type, body, "").status;
    assert_eq!(send("application/tlsrpt+json", &report), 201);
    assert_eq!(send("application/tlsrpt+json; charset=utf-8", &report), 201);
    assert_eq!(send("application/json", &report), 415);
    assert_eq!(send("application/tlsrpt+json", &report.replace("example.com", "example.net")), 422);
    assert_eq!(send("application/tlsrpt+gzip", "damaged"), 422);
    // The same report twice counts once, and nothing of its sender is shown.
    let page = service.get("/reports/example.com");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("All 41 connections were verified") && page.body.contains("<svg"), "{}", page.body);
    for personal in ["Sender One", "sender-one", "192.0.2."] {
        assert!(!page.body.contains(personal), "{personal}: {}", page.body);
    }
    let odd = std::fs::read_to_string("fixtures/tls-reports/host-not-covered.json").unwrap();
    assert_eq!(send("application/tlsrpt+json", &odd), 201);
    let page = service.get("/reports/example.com").body;
    assert!(
        page.contains("Of 46 connections, 44 were verified, 2 failed") && page.contains("covers only one label"),
        "{page}"
    );
    assert!(!page.contains("Sender Two"), "{page}");
    assert_eq!(service.get("/reports/example.net").status, 404);
    let off = Service::start(&[]);
    assert_eq!(off.get("/reports/example.com").status, 404);
    assert_eq!(off.post("/tlsrpt", "application/tlsrpt+json", &report, "").status, 404);
}

/// What strangers' domains may try: the lab's names all lead to loopback, which represents every address inside.
#[tokio::test(flavor = "multi_thread")]
async fn no_domain_leads_inside() {
    let lab = stslint::lab::Lab::start(stslint::lab::LabOptions::demo(std::time::SystemTime::now())).await.unwrap();
    let mut anchor = tempfile::NamedTempFile::new().unwrap();
    anchor.write_all(lab.trust_anchor().as_bytes()).unwrap();
    let resolver = lab.resolver().to_string();
    let anchor = anchor.path().to_str().unwrap().to_owned();
    let asked = move || {
        let service = Service::start_with(&["--resolver", &resolver, "--trust-anchor", &anchor]);
        let (path, _) = service.check("perfect.example");
        (service.get(&format!("{path}/download?format=snapshot")).json(), service.get(&path).body)
    };
    let (snapshot, page) = tokio::task::spawn_blocking(asked).await.unwrap();
    let hosts = snapshot["mx_hosts"].as_array().unwrap();
    let probes = hosts.iter().flat_map(|host| host["probes"].as_array().unwrap());
    let probes: Vec<&Value> = probes.chain(snapshot["policy_host"]["probes"].as_array().unwrap()).collect();
    assert!(probes.len() >= 3, "{snapshot}");
    for probe in probes {
        assert_eq!(probe["failure"]["kind"], "not_public", "{probe}");
        assert!(probe.get("connected").is_none() && probe.get("tls").is_none(), "{probe}");
    }
    assert!(page.contains("is not a public address"), "{page}");
    let wrong = Command::new(env!("CARGO_BIN_EXE_stslint"))
        .args(["serve", "--listen", "127.0.0.1:0", "--smtp-port", "2525"])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

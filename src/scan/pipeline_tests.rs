//! The law of bulk, over generated inputs: a line in, a line out, whatever the lines are, in whatever order answers come,
//! wherever a run is broken off.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use proptest::prelude::*;
use tokio::sync::watch;

use super::answer::{Answer, Fate, Form, Head};
use super::answered::Answered;
use super::input::Entry;
use super::lines::{Consumed, Lines, MAX_LINE};
use super::output::{LineFile, Outputs};
use super::pipeline::{Counts, Look, Pipeline};

/// Lines of every kind.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let names =
        prop::sample::select(vec!["a.example", "b.example", "A.example.", "m\u{fc}ller.example", "panic.example"]);
    prop_oneof![
        4 => names.prop_map(|name| name.as_bytes().to_vec()),
        2 => "[a-z]{1,8}\\.example".prop_map(String::into_bytes),
        1 => Just(b"".to_vec()),
        1 => Just(b" \t\r".to_vec()),
        1 => Just(b"# a comment".to_vec()),
        1 => Just(b"a..example".to_vec()),
        1 => Just(b"two words".to_vec()),
        1 => Just(b"{\"domain\": \"json.example\"}".to_vec()),
        1 => Just(b"{\"domain\": 7}".to_vec()),
        1 => prop::collection::vec(any::<u8>().prop_filter("no line ending", |octet| *octet != b'\n'), 0..40),
        1 => Just(vec![b'x'; 5_000]),
    ]
}

/// Answers after a while that differs from domain to domain; one of them fails.
fn look() -> Look {
    Arc::new(|entry: Entry| {
        Box::pin(async move {
            assert!(entry.text != "panic.example", "as this test wants it");
            for _ in 0..entry.text.len() % 7 {
                tokio::task::yield_now().await;
            }
            let text = format!("{{\"line\":{},\"input\":{}}}\n", entry.line, serde_json::json!(entry.text));
            Answer { main: text, findings: String::new(), snapshot: "{}\n".to_owned(), fate: Fate::Checked }
        })
    })
}

fn run(octets: &[u8], answered: Answered, outputs: Outputs) -> bool {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let lines = Lines::new(Box::new(Cursor::new(octets.to_vec())), &Consumed::default()).unwrap();
    let ready = Arc::new(|| Box::pin(std::future::ready(())) as futures_util::future::BoxFuture<'static, ()>);
    let counts = Arc::new(Counts::default());
    let pipeline = Pipeline { column: None, form: Form::Report, answered, at_once: 5, look: look(), ready, counts };
    let (sender, answers) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || outputs.run(&answers));
    let all = runtime.block_on(pipeline.run(lines, sender, watch::channel(false).1)).unwrap();
    writer.join().unwrap().unwrap();
    all
}

fn outputs(folder: &std::path::Path, packed: bool, in_order: bool, resume: bool) -> Outputs {
    let file = |name: &str| LineFile::open(&folder.join(format!("{name}{}", if packed { ".zst" } else { "" })), resume);
    Outputs {
        main: file("main.jsonl").unwrap(),
        findings: None,
        snapshots: Some(file("seen.jsonl").unwrap()),
        in_order,
    }
}

fn written(folder: &std::path::Path, name: &str, packed: bool) -> Vec<String> {
    let path = folder.join(format!("{name}{}", if packed { ".zst" } else { "" }));
    let mut lines = Lines::new(Box::new(std::fs::File::open(path).unwrap()), &Consumed::default()).unwrap();
    std::iter::from_fn(|| lines.next_line().unwrap()).map(|line| String::from_utf8(line.octets).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_in_a_line_out(
        lines in prop::collection::vec(line(), 0..60),
        (packed, in_order, last_ending) in any::<(bool, bool, bool)>(),
        cut in 0.0..1.0_f64,
    ) {
        let mut octets = lines.join(&b'\n');
        let last_is_empty = lines.last().is_none_or(Vec::is_empty);
        if !lines.is_empty() && (last_ending || last_is_empty) {
            octets.push(b'\n');
        }
        let folder = tempfile::tempdir().unwrap();
        prop_assert!(run(&octets, Answered::default(), outputs(folder.path(), packed, in_order, false)));
        let check = || {
            let main = written(folder.path(), "main.jsonl", packed);
            let heads: Vec<Head> = main.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
            let numbers: BTreeMap<u64, &Head> = heads.iter().map(|head| (head.line, head)).collect();
            assert_eq!((heads.len(), numbers.len()), (lines.len(), lines.len()), "one answer each");
            assert!(numbers.keys().copied().eq(1..=lines.len() as u64));
            for (line, head) in lines.iter().zip(numbers.values()) {
                let text = String::from_utf8_lossy(line);
                let trimmed = text.trim_matches(['\u{feff}', '\r', '\n']);
                assert!(text.contains(&head.input) || line.starts_with(b"{") || trimmed.contains(head.input.trim()), "{text:?} {head:?}");
                assert_eq!(head.kind.as_deref() == Some("internal"), text == "panic.example");
            }
            let looked_at = heads.iter().filter(|head| head.is_looked_at()).count();
            assert_eq!(written(folder.path(), "seen.jsonl", packed).len(), looked_at, "a snapshot each");
            heads
        };
        let heads = check();
        if in_order {
            prop_assert!(heads.iter().map(|head| head.line).is_sorted());
        }

        // The run is killed: what was written last is lost, here and beside, and never more beside than here.
        let ending = if packed { ".zst" } else { "" };
        let shorten = |name: &str, part: f64| {
            let file = std::fs::File::options().write(true).open(folder.path().join(format!("{name}{ending}"))).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len((length as f64 * part) as u64).unwrap();
        };
        shorten("main.jsonl", cut);
        let answered = Answered::restore(&folder.path().join(format!("main.jsonl{ending}"))).unwrap();
        answered.restore_snapshots(&folder.path().join(format!("seen.jsonl{ending}"))).unwrap();
        prop_assert!(run(&octets, answered, outputs(folder.path(), packed, in_order, true)));
        check();
    }
}

#[test]
fn a_line_that_is_huge_has_its_answer() {
    let octets = [vec![b'x'; 3 * MAX_LINE], b"\na.example".to_vec()].concat();
    let folder = tempfile::tempdir().unwrap();
    assert!(run(&octets, Answered::default(), outputs(folder.path(), false, true, false)));
    let main = written(folder.path(), "main.jsonl", false);
    assert_eq!(main.len(), 2);
    assert!(main[0].contains("more than") && main[0].len() < 1_000, "{}", main[0]);
    let entry = Entry { line: 1, text: String::new(), meaning: super::input::Meaning::Blank };
    assert!(Form::Report.without_domain(&entry).unwrap().main.contains("blank"));
}

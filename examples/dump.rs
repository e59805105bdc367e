//! temp
use std::path::PathBuf;
use trailcheck::*;
fn main() {
    let here = std::env::current_dir().unwrap();
    let roots: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    let listing = walk::list(&roots, &here).unwrap();
    let c = config::Configuration::default();
    let w = walk::read(listing, &c);
    let rb = rulebook::Rulebook::built_in();
    let t = std::time::Instant::now();
    let s = scan::scan(scan::Request {
        walked: w,
        configuration: &c,
        rulebook: &rb,
        selection: &config::Selection::default(),
        today: "2026-01-01",
        progress: &scan::Quiet,
    });
    eprintln!(
        "{:?} files {} gaps {} writes {} findings {}",
        t.elapsed(),
        s.files.len(),
        s.gaps.len(),
        s.files.iter().map(|f| f.writes.len()).sum::<usize>(),
        s.files.iter().map(|f| f.findings.len()).sum::<usize>()
    );
    for g in &s.gaps {
        eprintln!("{g:?}");
    }
    let mut files = vec![];
    for f in &s.files {
        if f.findings.is_empty() {
            continue;
        }
        let fs:Vec<_>=f.findings.iter().map(|x|{let p=f.source.position(x.place.span.start); let e=f.source.position(x.place.span.end); serde_json::json!({"rule":x.rule,"severity":x.severity.word(),"message":x.message,"function":x.function,"suppressed":null,"location":{"line":p.line,"end_line":e.line}})}).collect();
        files.push(serde_json::json!({"path":f.source.display_path(),"findings":fs}));
    }
    println!("{}", serde_json::json!({"files":files}));
}

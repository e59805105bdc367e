//! sarif: the log of a real scan, held against the OASIS schema of SARIF 2.1.0, with everything in it that trailcheck
//! knows to say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The schema, which is part of a package that cargo fetches and nothing compiles.
fn schema() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo answers in JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let package =
        packages.iter().find(|package| package["name"] == "serde-sarif").expect("it is one of them");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("it lies somewhere"));
    let text =
        fs::read_to_string(manifest.with_file_name("src").join("schema.json")).expect("the schema is there");
    let mut schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
    // The pattern of a language has a bracket that nothing opens, which is no regular expression to a strict reader.
    for of in ["run", "toolComponent"] {
        let pattern = &mut schema["definitions"][of]["properties"]["language"]["pattern"];
        assert!(pattern.is_string());
        *pattern = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
    }
    assert!(schema["title"].as_str().is_some_and(|title| title.contains("SARIF) Version 2.1.0")));
    schema
}

/// The log of a service with old findings in a baseline, new ones in a file of a strange name, suppressed ones and gaps.
fn log() -> Value {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for name in ["orders-fastapi", "broken"] {
        copy(&fixtures.join(name), &folder.path().join(name));
    }
    let run = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_trailcheck"))
            .args(words)
            .current_dir(folder.path())
            .output()
            .expect("the program runs");
        (output.status.code(), output.stdout)
    };
    assert_eq!(run(&["baseline", "create"]).0, Some(0));
    let services = folder.path().join("orders-fastapi/orders/services");
    let odd = services.join("two words");
    fs::create_dir(&odd).expect("a folder can be made");
    fs::copy(services.join("broken_customers.py"), odd.join("é#[1]%20.py")).expect("a file can be copied");
    let (code, text) = run(&["check", "--baseline", "trailcheck-baseline.json", "--format", "sarif"]);
    assert_eq!(code, Some(1));
    serde_json::from_slice(&text).expect("the log is JSON")
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("a fixture can be listed");
        let target = to.join(entry.path().strip_prefix(from).expect("below it"));
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(target).expect("a folder can be made"),
            false => drop(fs::copy(entry.path(), target).expect("a file can be copied")),
        }
    }
}

#[test]
fn a_real_log_fits_the_schema_and_has_everything_in_it() {
    let log = log();
    let validator = jsonschema::options().build(&schema()).expect("the schema can be used");
    let faults: Vec<String> =
        validator.iter_errors(&log).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // The schema is no rubber stamp.
    for (pointer, value) in [
        ("/runs/0/results/0/level", "bad"),
        ("/runs/0/results/0/baselineState", "old"),
        ("/version", "2.0.0"),
        ("/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri", "two words/%zz.py"),
    ] {
        let mut wrong = log.clone();
        *wrong.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is there")) = value.into();
        assert!(!validator.is_valid(&wrong), "{pointer} = {value} is refused");
    }

    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("there are results");
    let all = |of: &dyn Fn(&Value) -> bool| results.iter().filter(|result| of(result)).count();
    assert!(all(&|result| result["partialFingerprints"]["trailcheck/v1"].is_string()) == results.len());
    assert!(all(&|result| result["baselineState"] == "unchanged") > 100, "old ones");
    assert!(all(&|result| result["baselineState"] == "new") > 10, "new ones");
    let excused = |kind: &str| {
        let of_kind = |result: &Value| {
            let suppression = &result["suppressions"][0];
            suppression["kind"] == kind && suppression["justification"].is_string()
        };
        all(&of_kind)
    };
    assert!(excused("inSource") >= 5 && excused("external") > 100);
    let flows = |result: &Value| {
        let steps = &result["codeFlows"][0]["threadFlows"][0]["locations"];
        steps.as_array().is_some_and(|steps| steps.len() > 1)
    };
    assert!(all(&flows) > 20, "paths that a viewer can walk");
    let fixes = |result: &Value| {
        let change = &result["fixes"][0]["artifactChanges"][0];
        change["replacements"][0]["deletedRegion"]["startLine"].is_u64()
            && change["replacements"][0]["insertedContent"]["text"].is_string()
    };
    assert!(all(&fixes) > 20, "fixes with what they replace");
    let told = run["invocations"][0]["toolExecutionNotifications"].as_array().expect("there are gaps");
    assert!(told.len() > 3 && told.iter().all(|one| one["message"]["text"].is_string()));
    assert!(run["originalUriBaseIds"]["ROOT"].is_object());
    let uri = |result: &Value| {
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(place["uriBaseId"], "ROOT");
        place["uri"].as_str().expect("a file").to_owned()
    };
    let uris: Vec<String> = results.iter().map(uri).collect();
    let odd = "orders-fastapi/orders/services/two%20words/%C3%A9%23%5B1%5D%2520.py";
    assert!(uris.iter().any(|uri| uri == odd), "{uris:?}");
    assert!(
        uris.iter().all(|uri| !uri.starts_with('/') && uri.is_ascii() && !uri.contains([' ', '\\', '#']))
    );
    let rules = run["tool"]["driver"]["rules"].as_array().expect("there are rules");
    let is_named = |result: &Value| {
        let index = result["ruleIndex"].as_u64().expect("a rule that is known");
        rules[index as usize]["id"] == result["ruleId"]
    };
    assert_eq!(all(&is_named), results.len());
}

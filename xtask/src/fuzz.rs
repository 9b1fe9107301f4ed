//! Runs every fuzz target for a while. `--sanitizer none` works on the stable toolchain; Rust's own checks (bounds,
//! overflow) are what finds faults here.

use crate::test::{repository, succeeds, tool};

pub fn run(seconds: u32) -> Result<(), String> {
    let folder = repository().join("fuzz/fuzz_targets");
    let mut targets: Vec<String> = std::fs::read_dir(&folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?
        .filter_map(|entry| entry.ok()?.path().file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    targets.sort();
    for target in &targets {
        println!("xtask: fuzzing {target} for {seconds} s");
        let limit = format!("-max_total_time={seconds}");
        let mut fuzz = tool("cargo");
        // A fixed seed: what this run finds, the next one finds, too. Long runs by hand draw their own.
        fuzz.args(["fuzz", "run", "--sanitizer", "none", target, "--", &limit, "-seed=1", "-verbosity=0"]);
        if !succeeds(&mut fuzz) {
            return Err(format!("fuzz target {target} found a fault; its input is in fuzz/artifacts/{target}/"));
        }
    }
    Ok(())
}

//! Layers in processes of their own, which die or freeze where a fail point says so.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::common::layers::Client;
use crate::world::PATIENCE;

const SCRIPT: &str = "IZZIE_TEST_CHILD";
/// Before each answer on the child's standard output.
const ANSWER: &str = "answer: ";

/// What a child does: the calls, one after the other, under these fail points.
pub struct Script(Value);

impl Script {
    pub fn on(config: Value) -> Self {
        Self(json!({ "config": config, "failPoints": {}, "calls": [] }))
    }

    /// The process dies there as by kill -9: no destructor runs, nothing is flushed.
    pub fn dies_at(self, point: &str) -> Self {
        self.dies_at_nth(point, 1)
    }

    /// As [`Script::dies_at`], at the nth time that it comes there.
    pub fn dies_at_nth(self, point: &str, nth: usize) -> Self {
        self.at(point, &format!("die {nth}"))
    }

    /// The process stops there, once, until [`Child::resume`].
    pub fn stops_at(self, point: &str) -> Self {
        self.at(point, "stop")
    }

    /// Any action of the `fail` crate.
    pub fn at(mut self, point: &str, action: &str) -> Self {
        self.0["failPoints"][point] = json!(action);
        self
    }

    pub fn call(mut self, op: &str, args: Value, persistence: Value) -> Self {
        let calls = self.0["calls"].as_array_mut().expect("a list");
        calls.push(json!({ "op": op, "args": args, "persistence": persistence }));
        self
    }

    pub fn start(&self) -> Child {
        self.start_with(|_| {})
    }

    /// `prepare` may change the command, its environment for example.
    pub fn start_with(&self, prepare: impl FnOnce(&mut Command)) -> Child {
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        command.args(["--exact", "child::runs_a_script", "--ignored", "--nocapture"]);
        command.env(SCRIPT, self.0.to_string()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        prepare(&mut command);
        let mut process = command.spawn().expect("started");
        let output = BufReader::new(process.stdout.take().expect("piped")).lines();
        let input = process.stdin.take().expect("piped");
        Child { process, input, output }
    }
}

/// Killed when it is dropped.
pub struct Child {
    process: tokio::process::Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// The answer of the next call, which must not fail.
    pub async fn answer(&mut self) -> Value {
        let reading = async {
            while let Some(line) = self.output.next_line().await.expect("read") {
                // The test harness may have begun a line of its own.
                if let Some((_, answer)) = line.split_once(ANSWER) {
                    let answer: Value = serde_json::from_str(answer).expect("JSON");
                    assert!(answer.get("failed").is_none(), "{answer}");
                    return answer;
                }
            }
            panic!("the child ended without an answer");
        };
        timeout(PATIENCE, reading).await.expect("an answer in time")
    }

    /// Waits for its death at a fail point.
    pub async fn died(mut self) {
        let ended = timeout(PATIENCE, self.process.wait()).await.expect("it dies in time").expect("waited");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(6), "aborted: {ended}");
    }

    /// Kills it wherever it is.
    pub async fn killed(mut self) {
        self.process.kill().await.expect("killed");
    }

    /// Waits until it has stopped at a fail point.
    pub async fn stopped(&self) {
        let waiting = async {
            while !self.state().await.starts_with('T') {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("it stops in time");
    }

    /// Freezes it wherever it is.
    pub async fn freeze(&self) {
        self.signal("STOP").await;
        self.stopped().await;
    }

    pub async fn resume(&mut self) {
        self.input.write_all(b"\n").await.expect("told");
        self.signal("CONT").await;
    }

    async fn signal(&self, name: &str) {
        let pid = self.process.id().expect("alive").to_string();
        // The shell's own: a machine may lack the program.
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().await;
        assert!(sent.expect("a shell").success());
    }

    async fn state(&self) -> String {
        let pid = self.process.id().expect("alive").to_string();
        if cfg!(target_os = "linux") {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("alive");
            return stat[stat.rfind(')').expect("the end of its name") + 2..].to_owned();
        }
        let output = Command::new("ps").args(["-o", "stat=", "-p", &pid]).output().await.expect("asked");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }
}

/// The child's side. It is no test of its own, hence ignored.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by other tests, as a process of its own"]
async fn runs_a_script() {
    let script = std::env::var(SCRIPT).expect("started by another test");
    let script: Value = serde_json::from_str(&script).expect("JSON");
    for (point, action) in script["failPoints"].as_object().expect("an object") {
        set(point, action.as_str().expect("text"));
    }
    let layer = Client::bare(&script["config"]);
    for call in script["calls"].as_array().expect("a list") {
        let op = call["op"].as_str().expect("text");
        let outcome = layer.try_call_with(op, call["args"].clone(), call["persistence"].clone()).await;
        println!("{ANSWER}{}", outcome.unwrap_or_else(|error| json!({ "failed": error.envelope() })));
    }
    // The parent decides when it is over.
    std::future::pending::<()>().await;
}

fn set(point: &str, action: &str) {
    let done = match action {
        nth if nth.starts_with("die ") => {
            let left = AtomicUsize::new(nth["die ".len()..].parse().expect("a number"));
            fail::cfg_callback(point, move || {
                if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                    std::process::abort();
                }
            })
        }
        "stop" => {
            let stopped = AtomicBool::new(false);
            fail::cfg_callback(point, move || {
                if !stopped.swap(true, Ordering::SeqCst) {
                    stop();
                }
            })
        }
        action => fail::cfg(point, action),
    };
    done.unwrap_or_else(|error| panic!("{point}: {error}"));
}

/// The signal may take its time; this thread goes no further until it is told to.
fn stop() {
    let pid = std::process::id().to_string();
    let kill = format!("kill -STOP {pid}");
    std::process::Command::new("sh").args(["-c", &kill]).status().expect("sent");
    std::io::stdin().read_line(&mut String::new()).expect("told to go on");
}

//! Functions as processes: warm and cold, failing, too slow, too big, killed, orphaned.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Account, function};

struct Functions {
    account: Account,
    folder: tempfile::TempDir,
}

impl Functions {
    async fn open() -> Self {
        Functions { account: Account::open().await, folder: tempfile::tempdir().unwrap() }
    }

    async fn create(&self, name: &str, timeout: u64, memory: u64) -> &Self {
        let code = function::script(self.folder.path());
        let input = json!({
            "FunctionName": name,
            "Code": {"LocalPath": code},
            "Role": "arn:aws:iam::123456789012:role/test",
            "Timeout": timeout,
            "MemorySize": memory,
            "Environment": {"Variables": {"STAGE": "test"}},
        });
        self.account.call("lambda", "CreateFunction", input).await;
        self
    }

    /// The function's error, if any, and its document.
    async fn invoke(&self, name: &str, payload: Value) -> (Option<&'static str>, Value) {
        let input = json!({"FunctionName": name, "Payload": payload});
        let (_, answer) = self.account.services.lambda().invoke_json(&input, None).await.unwrap();
        let answer = answer.unwrap();
        (answer.function_error, serde_json::from_slice(&answer.payload).unwrap())
    }

    async fn log(&self, name: &str) -> String {
        let input = json!({"logGroupName": format!("/aws/lambda/{name}")});
        let answer = self.account.call("logs", "FilterLogEvents", input).await;
        let events = answer["events"].as_array().unwrap().clone();
        let lines: Vec<&str> =
            events.iter().map(|event| event["message"].as_str().unwrap()).collect();
        lines.join("\n")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_process_is_used_again() {
    let functions = Functions::open().await;
    functions.create("echo", 10, 256).await;
    let (error, first) = functions.invoke("echo", json!({"n": 1})).await;
    assert_eq!(error, None);
    assert_eq!(first["event"], json!({"n": 1}));
    assert_eq!(first["name"], "echo");
    assert_eq!(first["stage"], "test");
    assert_eq!(first["endpoint"], functions.account.services.settings().endpoint);
    let (_, second) = functions.invoke("echo", json!({"n": 2})).await;
    assert_eq!(first["pid"], second["pid"]);
    let log = functions.log("echo").await;
    for part in ["START RequestId: ", "working on {\"n\":1}", "END RequestId: ", "Init Duration: "]
    {
        assert!(log.contains(part), "{part} in {log}");
    }
    let used = functions.account.services.meters().functions(None).unwrap();
    assert_eq!(used.iter().map(|used| used.invocations).sum::<u64>(), 2);
    assert_eq!(used.iter().map(|used| used.cold_starts).sum::<u64>(), 1);
    assert!(used.iter().all(|used| used.peak > 0 && used.memory == 256 && used.log_bytes > 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_at_once_have_a_process_each() {
    let functions = Functions::open().await;
    functions.create("slow", 10, 256).await;
    let sleep = json!({"do": "sleep", "ms": 300});
    let (one, two) = tokio::join!(
        functions.invoke("slow", sleep.clone()),
        functions.invoke("slow", sleep.clone())
    );
    assert_ne!(one.1["pid"], two.1["pid"]);
    let input = json!({"FunctionName": "slow", "ReservedConcurrentExecutions": 0});
    functions.account.call("lambda", "PutFunctionConcurrency", input).await;
    let input = json!({"FunctionName": "slow", "Payload": sleep});
    let refused = functions.account.services.lambda().invoke_json(&input, None).await.unwrap_err();
    assert_eq!((refused.code.as_ref(), refused.status), ("TooManyRequestsException", 429));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_failure_has_its_name() {
    let functions = Functions::open().await;
    functions.create("f", 1, 128).await;
    let cases = [
        (json!({"do": "fail", "type": "Source.Throttled"}), "Source.Throttled", "as asked"),
        (
            json!({"do": "exit", "code": 3}),
            "Runtime.ExitError",
            "Error: Runtime exited with error: exit status 3",
        ),
        (
            json!({"do": "exit", "code": 0}),
            "Runtime.ExitError",
            "Runtime exited without providing a reason",
        ),
        (
            json!({"do": "kill"}),
            "Runtime.ExitError",
            "Error: Runtime exited with error: signal: killed",
        ),
        (
            json!({"do": "eat", "mib": 300}),
            "Runtime.ExitError",
            "Error: Runtime exited with error: signal: killed",
        ),
        (
            json!({"do": "sleep", "ms": 5000}),
            "Sandbox.Timedout",
            "Task timed out after 1.00 seconds",
        ),
    ];
    for (payload, name, message) in cases {
        let (error, document) = functions.invoke("f", payload.clone()).await;
        assert_eq!(error, Some("Unhandled"), "{payload}");
        assert_eq!(document["errorType"], name, "{payload}");
        let found = document["errorMessage"].as_str().unwrap();
        assert!(found.contains(message), "{found}");
        // Exactly one invocation fails.
        assert_eq!(functions.invoke("f", json!({})).await.0, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_is_one_failed_invocation() {
    let functions = Functions::open().await;
    functions.create("f", 10, 128).await;
    let (_, document) = functions.invoke("f", json!({})).await;
    let pid = document["pid"].to_string();
    // Idle: the next event goes to another process.
    std::process::Command::new("kill").args(["-9", &pid]).status().unwrap();
    while std::fs::read_to_string(format!("/proc/{pid}/status"))
        .is_ok_and(|status| status.contains("VmRSS"))
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (error, next) = functions.invoke("f", json!({})).await;
    assert_eq!(error, None);
    assert_ne!(next["pid"].to_string(), pid);
}

/// The whole host killed by `kill -9`: neither the idle nor the working function outlives it.
#[tokio::test(flavor = "multi_thread")]
async fn functions_die_with_their_host() {
    if std::env::var_os("LAMBDA_HOST_UNDER_TEST").is_some() {
        let functions = Functions::open().await;
        functions.create("f", 600, 128).await;
        let (_, idle) = functions.invoke("f", json!({"do": "sleep", "ms": 0})).await;
        let (_, busy) = functions.invoke("f", json!({})).await;
        assert_eq!(idle["pid"], busy["pid"]);
        let _work = functions.invoke("f", json!({"do": "sleep", "ms": 600_000}));
        let work = functions.invoke("f", json!({"do": "sleep", "ms": 600_000}));
        let tell = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let path = std::env::var("LAMBDA_HOST_UNDER_TEST").unwrap();
            std::fs::write(path, busy["pid"].to_string()).unwrap();
            std::future::pending::<()>().await;
        };
        tokio::join!(work, tell);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("pid");
    let mut host = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::lambda::functions_die_with_their_host"])
        .env("LAMBDA_HOST_UNDER_TEST", &told)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let pid = loop {
        match std::fs::read_to_string(&told) {
            Ok(pid) if !pid.is_empty() => break pid,
            _ => assert!(Instant::now() < deadline, "the host did not come up"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let process = std::path::PathBuf::from(format!("/proc/{pid}"));
    assert!(process.exists());
    host.kill().unwrap();
    host.wait().unwrap();
    while process.exists() {
        assert!(Instant::now() < deadline, "the function {pid} outlives its host");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_not_there_is_refused() {
    let functions = Functions::open().await;
    let input = json!({"FunctionName": "none", "Payload": {}});
    let refused = functions.account.services.lambda().invoke_json(&input, None).await.unwrap_err();
    assert_eq!(refused.code, "ResourceNotFoundException");
    assert_eq!(
        refused.message,
        "Function not found: arn:aws:lambda:us-east-1:123456789012:function:none"
    );
}

//! Recordings of the states of a run.

use serde_json::Value;
use std::rc::Rc;
use terzetto::{
    Builder, checkpoint, move_on_after, nursery, observe::StateRecorder, sleep, testing::MockClock,
};

/// A sleeper, a task that yields, and a nursery with a time limit.
fn recorded() -> Rc<StateRecorder> {
    let recorder = StateRecorder::new();
    let noting = recorder.clone();
    let builder = Builder::new().clock(MockClock::autojump()).instrument(recorder.clone());
    builder
        .run(async {
            let limited = move_on_after(2.0, async {
                nursery(async |n| {
                    n.start_soon_named("sleeper", async { Ok(sleep(1.0).await?) });
                    n.start_soon_named("yields", async {
                        checkpoint().await?;
                        noting.note_output(7, "it says \"</script>\"");
                        Ok(())
                    });
                    n.start_soon_named("late", async { Ok(sleep(9.0).await?) });
                    Ok(())
                })
                .await
            });
            limited.await.map(drop)
        })
        .unwrap();
    recorder
}

fn recording() -> Value {
    let json = recorded().json("a title", "fn main() {}\n");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn frames(recording: &Value) -> &Vec<Value> {
    recording["frames"].as_array().unwrap()
}

/// The states of the tasks at an event.
fn tasks<'a>(recording: &'a Value, frame: &Value) -> Vec<&'a Value> {
    let places = frame["tasks"].as_array().unwrap().iter();
    places.map(|place| &recording["tasks"][place.as_u64().unwrap() as usize]).collect()
}

fn id(recording: &Value, name: &str) -> Value {
    let all = recording["tasks"].as_array().unwrap();
    all.iter().find(|task| task["name"] == name).unwrap_or_else(|| panic!("no task {name}"))["id"].clone()
}

/// The events of a task, each with its clock.
fn events(recording: &Value, name: &str) -> Vec<(String, f64)> {
    let id = id(recording, name);
    let own = frames(recording).iter().filter(|frame| frame["task"] == id);
    own.map(|frame| (frame["event"].as_str().unwrap().to_owned(), frame["time"].as_f64().unwrap())).collect()
}

#[test]
fn see_16_each_event_of_a_task_is_recorded_with_the_clock() {
    let recording = recording();
    let expected = [
        ("spawned", 0.0),
        ("woken", 0.0),
        ("step-begins", 0.0),
        ("blocked", 0.0),
        ("step-ends", 0.0),
        ("woken", 1.0),
        ("step-begins", 1.0),
        ("exited", 1.0),
        ("step-ends", 1.0),
    ];
    assert_eq!(events(&recording, "sleeper"), expected.map(|(event, time)| (event.to_owned(), time)));
    let late = events(&recording, "late");
    assert!(late.contains(&("cancelled".to_owned(), 2.0)), "{late:?}");
    let (main, sleeper) = (id(&recording, "main"), id(&recording, "sleeper"));
    let of_sleeper = |event: &str| {
        frames(&recording).iter().filter(|f| f["event"] == event && f["task"] == sleeper).collect::<Vec<_>>()
    };
    assert_eq!(of_sleeper("spawned")[0]["by"], main);
    let woken: Vec<&Value> = of_sleeper("woken").into_iter().map(|frame| &frame["by"]).collect();
    assert_eq!(woken, [&main, &Value::Null], "at first by its parent, then by its deadline");
    assert_eq!(of_sleeper("blocked")[0]["detail"], "sleeping");
}

#[test]
fn see_16_the_ready_queue_has_the_runnable_tasks_in_the_order_of_their_wakes() {
    let recording = recording();
    for frame in frames(&recording) {
        let mut ready: Vec<u64> =
            frame["ready"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        let runnable = tasks(&recording, frame).into_iter().filter(|task| task["state"] == "runnable");
        let runnable: Vec<u64> = runnable.filter_map(|task| task["id"].as_u64()).collect();
        ready.sort_unstable();
        assert_eq!(ready, runnable, "{frame}");
    }
    let late = id(&recording, "late");
    let started = frames(&recording).iter().find(|f| f["event"] == "woken" && f["task"] == late).unwrap();
    let expected = ["sleeper", "yields", "late"].map(|name| id(&recording, name));
    assert_eq!(started["ready"].as_array().unwrap(), &expected);
}

#[test]
fn see_16_states_have_scopes_waits_and_deadlines() {
    let recording = recording();
    let (main, late) = (id(&recording, "main"), id(&recording, "late"));
    let at =
        |event: &str| frames(&recording).iter().find(|f| f["event"] == event && f["task"] == late).unwrap();
    let state = |frame: &Value, id: &Value| -> Value {
        tasks(&recording, frame).into_iter().find(|task| &task["id"] == id).unwrap().clone()
    };
    // When an instrument is told that a wait begins, the wait is not entered yet.
    let blocked = state(at("step-ends"), &late);
    let wait = &blocked["waits"][0];
    assert_eq!((wait["what"].as_str(), wait["ends_in"].as_f64()), (Some("sleeping"), Some(9.0)));
    assert_eq!(blocked["parent"], main);
    let deadlines = |frame: &Value| -> Vec<f64> {
        let scopes = state(frame, &main)["scopes"].as_array().unwrap().clone();
        scopes.iter().filter_map(|scope| scope["deadline_in"].as_f64()).collect()
    };
    assert_eq!(deadlines(at("step-ends")), [2.0]);
    let cancelled = at("cancelled");
    assert_eq!(cancelled["detail"], "cancelled by a deadline");
    let scopes = state(cancelled, &main)["scopes"].clone();
    assert!(scopes.as_array().unwrap().iter().any(|scope| scope["cancelled"] == true), "{scopes}");
}

#[test]
fn see_16_recordings_are_the_same_each_time_and_their_page_needs_nothing_else() {
    let (one, other) = (recorded(), recorded());
    assert_eq!(one.json("a title", "…"), other.json("a title", "…"));
    assert!(!one.json("<", "</script>").contains('<'), "it can stand in a page");
    let page = one.html("a <title>", "fn main() {}\n");
    assert!(page.contains("<h1>a &lt;title></h1>") && page.starts_with("<!doctype html>"));
    assert_eq!(page.matches("http").count() + page.matches("src=").count() + page.matches("href").count(), 0);
    // A page has one recording, and the script that shows it.
    assert_eq!(page.matches("</script>").count(), 2);
    let recording = recording();
    let said = frames(&recording).iter().find(|frame| frame["output"] != Value::Array(Vec::new())).unwrap();
    assert_eq!(said["output"], serde_json::json!([[7, "it says \"</script>\""]]));
    assert_eq!(said["task"], id(&recording, "yields"));
    assert_eq!(
        (recording["title"].as_str(), recording["source"].as_str()),
        (Some("a title"), Some("fn main() {}\n"))
    );
    assert!(StateRecorder::new().is_empty() && one.len() == frames(&recording).len());
}

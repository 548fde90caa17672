//! Topologies as data.

mod common;

use serde::Deserialize;
use terzetto::Error;
use terzetto_executor::{Ending, ExecutorAsync, Options, Topology, graph::WorkLibrary};

use common::executors::{On, execute_within};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    to: usize,
    #[serde(default)]
    from: usize,
}

#[derive(Deserialize)]
struct Factor {
    by: usize,
}

fn library() -> WorkLibrary {
    let mut library = WorkLibrary::new();
    library.source("count", |Count { from, to }: Count| Ok((from..to).map(|n| (n.to_string(), n))));
    library.cpu("multiply", |Factor { by }: Factor| match by {
        0 => Err("a factor of 0 is a mistake".into()),
        by => Ok(move |_: &_, n: usize| Ok(n * by)),
    });
    library.io("name", |(): ()| Ok(|_: &_, n: usize| Ok(format!("number {n}"))));
    library.task("await", |(): ()| {
        Ok(async |_: &_, n: usize| {
            terzetto::checkpoint().await?;
            if n == 30 { Err("thirty".into()) } else { Ok(n) }
        })
    });
    library
}

const WHOLE: &str = r#"
    name = "numbers"
    results = ["names"]
    limits = { large = 2 }

    [[work]]
    name = "count"
    to = "numbers"
    params = { from = 1, to = 11 }

    # The same work of the library, twice.
    [[work]]
    name = "twice"
    use = "multiply"
    from = "numbers"
    to = "large"
    params = { by = 2 }
    max_workers = 1

    [[work]]
    name = "five times"
    use = "multiply"
    from = "large"
    to = "larger"
    params = { by = 5 }
    priority = 1
    uses = { gpu = 1 }

    [[work]]
    name = "await"
    from = "larger"
    to = "awaited"

    [[work]]
    name = "name"
    from = "awaited"
    to = "names"
"#;

fn works(topology: &Topology) -> Vec<String> {
    let line = |work: terzetto_executor::graph::WorkInfo<'_>| {
        format!("{} {} {} -> {}", work.kind, work.name, work.inputs.join("+"), work.outputs.join("+"))
    };
    topology.works().map(line).collect()
}

#[test]
fn data_01_a_topology_in_toml_is_one_like_any_other() -> Result<(), Error> {
    let topology = library().topology(WHOLE)?;
    assert_eq!(topology.name(), "numbers");
    let expected = [
        "source count  -> numbers",
        "cpu twice numbers -> large",
        "cpu five times large -> larger",
        "task await larger -> awaited",
        "io name awaited -> names",
    ];
    assert_eq!(works(&topology), expected);
    let settings: Vec<_> =
        topology.works().map(|work| (work.max_workers, work.priority, work.uses.len())).collect();
    assert_eq!(settings[..3], [(None, 0, 0), (Some(1), 0, 0), (None, 1, 1)]);
    topology.check()?;
    assert!(topology.to_dot().contains("five times"));
    let options = || Options::new().max_workers(3).resource("gpu", 1);
    let outcome = execute_within(60.0, topology, options(), On::Threads)?;
    assert_eq!((outcome.done, outcome.failed_count, outcome.ending), (9, 1, Ending::Finished));
    assert_eq!(outcome.failed[0].0.as_str(), "3", "3 x 2 x 5 is thirty");
    assert_eq!(outcome.works[1].max_workers, 1);
    // Without the resource it is refused as any other.
    assert!(ExecutorAsync::new(library().topology(WHOLE)?, Options::new()).is_err());
    Ok(())
}

#[test]
fn data_02_a_work_without_to_is_an_end() -> Result<(), Error> {
    let text = WHOLE.replace("to = \"names\"", "").replace("results = [\"names\"]", "");
    let outcome =
        execute_within(60.0, library().topology(&text)?, Options::new().resource("gpu", 1), On::OneThread)?;
    assert_eq!((outcome.done, outcome.failed_count), (9, 1));
    Ok(())
}

#[test]
fn data_03_mistakes_are_named() {
    for (old, new, message) in [
        ("name = \"numbers\"", "name = ", "TOML parse error"),
        ("max_workers = 1", "workers = 1", "unknown field `workers`"),
        (
            "use = \"multiply\"",
            "use = \"divide\"",
            "work `twice`: there is no work `divide`; there are: await, count, multiply, name",
        ),
        ("from = 1, to = 11", "from = 1", "work `count`: its params: missing field `to`"),
        ("from = 1, to = 11", "to = 11, step = 2", "work `count`: its params: step: unknown field `step`"),
        ("by = 2", "by = 0", "work `twice`: a factor of 0 is a mistake"),
        ("by = 2", "by = \"two\"", "work `twice`: its params: by: invalid type"),
        ("from = \"awaited\"", "", "work `name`: it needs `from`, a queue"),
        ("to = \"numbers\"", "", "work `count`: a source needs `to`, a queue"),
        ("results = [\"names\"]", "results = [\"nmaes\"]", "no work has a queue `nmaes`"),
        (
            "to = \"names\"",
            "to = \"numbers\"",
            "work `name`: queue `numbers` has items of type `usize`, and this work wants `alloc::string::String`",
        ),
    ] {
        let text = WHOLE.replacen(old, new, 1);
        assert_ne!(text, WHOLE, "{old}");
        let error = library().topology(&text).map(|_| ()).expect_err(message);
        assert!(error.to_string().contains(message), "{message}: {error}");
    }
}

#[test]
fn data_04_a_circle_needs_a_feedback_queue_here_too() -> Result<(), Error> {
    let text = |feedback: &str| {
        format!(
            "name = \"circle\"\n{feedback}\n[[work]]\nname = \"count\"\nto = \"a\"\nparams = {{ to = 1 }}\n\
             [[work]]\nname = \"there\"\nuse = \"multiply\"\nfrom = \"a\"\nto = \"b\"\nparams = {{ by = 2 }}\n\
             [[work]]\nname = \"back\"\nuse = \"multiply\"\nfrom = \"b\"\nto = \"a\"\nparams = {{ by = 2 }}\n"
        )
    };
    assert!(library().topology(&text(""))?.check().is_err());
    library().topology(&text("feedback = [\"a\"]"))?.check()?;
    Ok(())
}

#[test]
fn data_05_sources_are_listed_without_a_run() -> Result<(), Error> {
    let text = WHOLE.replace("to = 11", "to = 1000000000");
    let listed = library().topology(&text)?.list_sources(4)?;
    let keys: Vec<&str> = listed[0].keys.iter().map(terzetto_executor::Key::as_str).collect();
    assert_eq!((listed.len(), listed[0].work.as_str(), keys), (1, "count", vec!["1", "2", "3", "4"]));
    let mut topology = Topology::new("broken");
    let numbers = topology.queue::<u8>("numbers");
    topology.source("panics", &numbers, (0..3).map(|n| if n == 1 { panic!("no more") } else { ("key", n) }));
    let error = topology.list_sources(9).expect_err("a panic");
    assert!(error.to_string().contains("no more"), "{error}");
    Ok(())
}

#[test]
fn data_06_a_misspelt_name_has_a_hint_and_an_error_its_key() {
    for (old, new, message) in [
        ("use = \"multiply\"", "use = \"multipl\"", "there is no work `multipl` (is `multiply` meant?)"),
        ("results = [\"names\"]", "results = [\"nmaes\"]", "no work has a queue `nmaes`; is `names` meant?"),
        ("by = 2", "by = \"two\"", "work `twice`: its params: by: invalid type"),
        ("to = \"names\"", "to = \"numbers\"", "; work `count` names the queue first"),
    ] {
        let text = WHOLE.replacen(old, new, 1);
        let error = library().topology(&text).map(|_| ()).expect_err(message);
        assert!(error.to_string().contains(message), "{message}: {error}");
    }
}

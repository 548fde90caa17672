//! Gantt charts of runs.

mod common;

use std::{fs, sync::Arc, thread, time::Duration};

use terzetto::Error;
use terzetto_executor::{ExecutorAsync, ExecutorSequential, Options, Topology, gantt::GanttChart};

use common::{Folder, jobs, names, numbers, small};

/// A quick work, a slow one behind it, and a queue that fills between them.
fn slow_end(count: usize) -> Topology {
    let mut topology = Topology::new("slow <end>");
    let numbers = numbers(&mut topology, count);
    let doubled = topology.queue::<usize>("doubled");
    topology.io("double", &numbers).to(&doubled).each(|_, n| Ok(2 * n));
    topology.cpu("wait & see", &doubled).each(|_, n| {
        thread::sleep(Duration::from_millis(10));
        if n == 6 { Err("six".into()) } else { Ok(()) }
    });
    topology
}

#[test]
fn gantt_01_the_chart_is_in_the_jobs_folder_if_it_was_asked_for() -> Result<(), Error> {
    for asked in [false, true] {
        let folder = Folder::new();
        let options = small().results_folder(&folder.0).gantt_chart(asked);
        terzetto::run(ExecutorAsync::new(slow_end(20), options)?.run())?;
        let job = &jobs(&folder.0)[0];
        let written: Vec<String> =
            names(job, "").into_iter().filter(|name| name.starts_with("gantt.")).collect();
        if !asked {
            assert_eq!(written, Vec::<String>::new());
            continue;
        }
        assert_eq!(written, ["gantt.html", "gantt.json", "gantt.svg"]);
        let read = |name: &str| fs::read_to_string(job.join(name)).expect(name);
        let (svg, html, json) = (read("gantt.svg"), read("gantt.html"), read("gantt.json"));
        // A bar for each call, with its item; one of them has failed. The source has an area.
        assert_eq!(svg.matches("<rect class=\"b\"").count(), 39, "{svg}");
        assert_eq!(svg.matches("<rect class=\"f\"").count(), 1);
        assert!(svg.contains("wait &amp; see 3: ") && svg.contains(">count<"), "{svg}");
        assert!(svg.contains(">doubled<") && svg.contains("at most "), "{svg}");
        assert!(html.contains("<h1>slow &lt;end&gt;</h1>") && html.contains(&svg));
        assert!(html.contains("Bottleneck: wait &amp; see, busy "), "{html}");
        assert!(json.contains(r#""name":"wait & see","args":{"item":"3","failed":true}"#), "{json}");
        assert!(json.contains(r#""name":"items in doubled""#), "{json}");
        for text in [&svg, &html] {
            assert!(!text.contains("href") && !text.contains("<script"), "it needs no other files");
        }
    }
    Ok(())
}

#[test]
fn gantt_03_an_observer_has_a_chart_without_a_folder() -> Result<(), Error> {
    let chart = Arc::new(GanttChart::new());
    let mut executor = ExecutorSequential::new(slow_end(5), Options::new())?;
    executor.observe(chart.clone());
    executor.run()?;
    assert_eq!(chart.calls(), (10, 0));
    assert_eq!(chart.svg().matches("<rect class=").count(), 10);
    Ok(())
}

#[test]
fn gantt_02_a_long_run_has_sums_and_its_longest_calls() -> Result<(), Error> {
    let mut topology = Topology::new("many");
    let numbers = numbers(&mut topology, 50_000);
    topology.cpu("look", &numbers).each(|_, n| {
        if n == 777 {
            thread::sleep(Duration::from_millis(30));
        }
        Ok(())
    });
    let chart = Arc::new(GanttChart::new());
    let mut executor = ExecutorAsync::new(topology, Options::new())?;
    executor.observe(chart.clone());
    terzetto::run(executor.run())?;
    let (all, left_out) = chart.calls();
    assert!(all == 50_000 && left_out >= 40_000, "{left_out} of {all}");
    let (svg, json) = (chart.svg(), chart.trace_json());
    assert!(svg.len() < 50_000, "{}", svg.len());
    assert!(svg.contains(&format!("{left_out} calls of less than ")), "{svg}");
    // The longest call is in the trace.
    assert!(json.contains(r#""args":{"item":"777","#));
    Ok(())
}

/// Draws the picture of the documentation, if it is asked to. It shows real times, so it is not compared with that.
#[test]
fn gantt_04_a_picture_has_works_and_queues_in_the_direction_of_flow() -> Result<(), Error> {
    let sleep = |time: usize| thread::sleep(Duration::from_micros(time as u64));
    let mut topology = Topology::new("thumbnails");
    let paths = topology.queue::<usize>("paths");
    let (images, small) = (topology.queue::<usize>("images"), topology.queue::<usize>("small images"));
    topology.source("list", &paths, (0..60).map(|n| (format!("im{n:03}.png"), n)));
    topology.io("read", &paths).to(&images).each(move |_, n| {
        sleep(2_000 + 37 * n);
        Ok(n)
    });
    topology.cpu("shrink", &images).to(&small).each(move |_, n| {
        sleep(9_000 + n * 7_919 % 4_000);
        if n == 40 { Err("no image".into()) } else { Ok(n) }
    });
    topology.io("write", &small).each(move |_, _| {
        sleep(1_500);
        Ok(())
    });
    let folder = Folder::new();
    let options = Options::new().max_workers(3).queue_limit(8).results_folder(&folder.0).gantt_chart(true);
    terzetto::run(ExecutorAsync::new(topology, options)?.run())?;
    let svg = fs::read_to_string(jobs(&folder.0)[0].join("gantt.svg")).expect("the picture");
    let places: Vec<usize> =
        [">list<", ">read<", ">shrink<", ">write<", ">paths<", ">images<", ">small images<"]
            .iter()
            .map(|label| svg.find(label).unwrap_or_else(|| panic!("{label}: {svg}")))
            .collect();
    assert!(places.is_sorted(), "{places:?}");
    if std::env::var_os("TERZETTO_DRAW_PICTURES").is_some() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        fs::create_dir_all(&docs).and_then(|()| fs::write(docs.join("gantt.svg"), svg)).expect("the folder");
    }
    Ok(())
}

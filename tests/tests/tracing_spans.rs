//! Spans of `tracing`: each task has one, and what the task does is inside it.

use std::{
    fmt::Write,
    sync::{Arc, Mutex},
};
use terzetto::{
    Builder, checkpoint, move_on_after, nursery, observe::TaskSpans, sleep, sleep_forever, testing::MockClock,
};
use tracing::{
    Event, Id, Instrument, Subscriber,
    field::{Field, Visit},
    info, info_span,
    span::Attributes,
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt, registry::LookupSpan};

/// The events, each with its spans from the outermost to the innermost.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

/// The name of a span of a task, kept with the span.
struct Named(String);

/// Collects fields as text.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => write!(self.0, "{value:?}").unwrap(),
            "task.name" => write!(self.0, "{value:?}").unwrap(),
            "reason" => write!(self.0, " because: {value:?}").unwrap(),
            _ => {}
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        span.extensions_mut().insert(Named(format!(
            "{}{}",
            span.name(),
            fields.0.replace('"', " ").trim_end()
        )));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let spans = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
        let mut line = String::new();
        for span in spans {
            write!(line, "{} > ", span.extensions().get::<Named>().unwrap().0).unwrap();
        }
        self.0.lock().unwrap().push(line + &fields.0);
    }
}

#[test]
fn see_13_each_task_has_a_span_in_which_all_is_that_it_does() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    tracing::subscriber::with_default(subscriber, || {
        let _around = info_span!("program").entered();
        Builder::new()
            .clock(MockClock::autojump())
            .instrument(TaskSpans::new())
            .run(async {
                nursery(async |n| {
                    for name in ["a", "b"] {
                        n.start_soon_named(name, async move {
                            info!("begins");
                            // A span of its own nests in it across awaits.
                            let work = async {
                                for _ in 0..2 {
                                    checkpoint().await?;
                                    info!("works");
                                }
                                Ok::<(), terzetto::Error>(())
                            };
                            work.instrument(info_span!("work")).await?;
                            nursery(async |n| {
                                n.start_soon_named("child", async {
                                    sleep(1.0).await?;
                                    info!("ends");
                                    Ok(())
                                });
                                Ok(())
                            })
                            .await
                        });
                    }
                    Ok(())
                })
                .await?;
                move_on_after(1.0, async { Ok(sleep_forever().await?) }).await?;
                info!("over");
                Ok(())
            })
            .unwrap();
        info!("after");
    });
    // The two tasks run in any order, so what they say is compared sorted.
    let mut lines = lines.0.lock().unwrap().clone();
    assert_eq!(lines.last().map(String::as_str), Some("program > after"));
    lines.sort_unstable();
    let mut expected = [
        "program > task main > task a > begins",
        "program > task main > task b > begins",
        "program > task main > task a > work > works",
        "program > task main > task b > work > works",
        "program > task main > task a > work > works",
        "program > task main > task b > work > works",
        "program > task main > task a > task child > ends",
        "program > task main > task b > task child > ends",
        "program > task main > cancelled because: cancelled by a deadline",
        "program > task main > over",
        "program > after",
    ];
    expected.sort_unstable();
    assert_eq!(*lines, expected);
}

#[test]
fn see_13_spans_end_with_their_tasks() {
    /// Counts the spans that are open.
    #[derive(Clone, Default)]
    struct Open(Arc<Mutex<(usize, usize)>>);
    impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Open {
        fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            let mut count = self.0.lock().unwrap();
            count.0 += 1;
            count.1 = count.1.max(count.0);
        }
        fn on_close(&self, _: Id, _: Context<'_, S>) {
            self.0.lock().unwrap().0 -= 1;
        }
    }
    let open = Open::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(open.clone()), || {
        let run = Builder::new().clock(MockClock::autojump()).instrument(TaskSpans::new());
        run.run(async {
            for _ in 0..100 {
                nursery(async |n| {
                    n.start_soon(async { Ok(checkpoint().await?) });
                    Ok(())
                })
                .await?;
                // This one is dropped with its nursery.
                let dropped = nursery(async |n| {
                    n.start_soon(async { Ok(sleep_forever().await?) });
                    Ok(())
                });
                futures_util::future::select(Box::pin(dropped), Box::pin(sleep(0.1))).await;
            }
            Ok(())
        })
        .unwrap();
    });
    let (open, most) = *open.0.lock().unwrap();
    assert_eq!(open, 0);
    assert!(most <= 3, "{most}");
}

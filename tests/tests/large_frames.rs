//! Blocks that nest deep, with functions between them that need much stack.

use std::{hint::black_box, pin::Pin};
use terzetto::{CancelScope, Error, checkpoint, nursery};
use terzetto_tests::run_mock;

type Levels<'a> = Pin<Box<dyn Future<Output = Result<usize, Error>> + 'a>>;

/// More than the stack that a run leaves for a function of whose size it knows nothing.
const LARGE: usize = 160 * 1024;

/// So many levels do not fit on a thread's stack of 2 MiB.
const DEEP: usize = 40;

fn nurseries(levels: usize) -> Levels<'static> {
    Box::pin(async move {
        if levels == 0 {
            checkpoint().await?;
            return Ok(0);
        }
        nursery(async |_n| {
            let block = [levels as u8; LARGE];
            let below = nurseries(levels - 1).await?;
            black_box(&block);
            Ok(below + 1)
        })
        .await
    })
}

fn scopes(levels: usize) -> Levels<'static> {
    Box::pin(async move {
        if levels == 0 {
            checkpoint().await?;
            return Ok(0);
        }
        let scope = CancelScope::new();
        let inside = async {
            let block = [levels as u8; LARGE];
            let below = scopes(levels - 1).await?;
            black_box(&block);
            Ok(below + 1)
        };
        Ok(scope.run(inside).await?.unwrap_or_default())
    })
}

#[test]
fn nest_large_functions_between_nurseries_have_stack_enough() {
    assert_eq!(run_mock(nurseries(DEEP)).unwrap(), DEEP);
}

#[test]
fn nest_large_functions_between_scopes_have_stack_enough() {
    assert_eq!(run_mock(scopes(DEEP)).unwrap(), DEEP);
}

#[test]
fn nest_large_children_have_stack_enough() {
    fn children(levels: usize) -> Levels<'static> {
        Box::pin(async move {
            if levels == 0 {
                checkpoint().await?;
                return Ok(0);
            }
            let below = std::cell::Cell::new(0);
            nursery(async |n| {
                n.start_soon(async {
                    let block = [levels as u8; LARGE];
                    below.set(children(levels - 1).await?);
                    black_box(&block);
                    Ok(())
                });
                Ok(())
            })
            .await?;
            Ok(below.get() + 1)
        })
    }
    assert_eq!(run_mock(children(DEEP)).unwrap(), DEEP);
}

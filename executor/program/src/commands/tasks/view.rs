//! The live view: what is on the screen, and what keys do.

use ratatui::{
    Frame,
    crossterm::event::KeyCode,
    layout::{Constraint, Layout},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Paragraph, Wrap},
};

use super::{
    rows::{Folding, Row, rows},
    snapshot::{Snapshot, TaskState},
};

/// At most so many rows of tasks are drawn.
const MOST_ROWS: usize = 60;

/// What is shown.
#[derive(Debug, Default)]
pub struct View {
    snapshot: Snapshot,
    folding: Folding,
    rows: Vec<Row>,
    /// The row that is selected.
    selected: usize,
    /// The first row on the screen.
    top: usize,
    /// The task that stays selected, wherever its row moves.
    followed: Option<u64>,
    /// What went wrong with the last snapshot.
    pub error: Option<String>,
}

impl View {
    /// Shows a new snapshot.
    pub fn show(&mut self, snapshot: Snapshot) {
        let selected = self.followed.or_else(|| self.task().map(|task| task.id));
        self.snapshot = snapshot;
        self.error = None;
        self.update(selected);
    }

    /// Makes the rows anew, and selects this task if it is there.
    fn update(&mut self, selected: Option<u64>) {
        self.rows = rows(&self.snapshot, &self.folding);
        let of_task = |id: u64| self.rows.iter().position(|row| self.snapshot.tasks[row.task].id == id);
        let last = self.rows.len().saturating_sub(1);
        self.selected = selected.and_then(of_task).unwrap_or(self.selected).min(last);
    }

    /// The selected task.
    fn task(&self) -> Option<&TaskState> {
        Some(&self.snapshot.tasks[self.rows.get(self.selected)?.task])
    }

    /// Does what a key asks for. Returns whether the view goes on.
    pub fn key(&mut self, key: KeyCode) -> bool {
        let last = self.rows.len().saturating_sub(1);
        match key {
            KeyCode::Char('q') | KeyCode::Esc => return false,
            KeyCode::Up | KeyCode::Char('k') => self.selected = self.selected.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.selected = (self.selected + 1).min(last),
            KeyCode::PageUp => self.selected = self.selected.saturating_sub(20),
            KeyCode::PageDown => self.selected = (self.selected + 20).min(last),
            KeyCode::Home => self.selected = 0,
            KeyCode::End => self.selected = last,
            KeyCode::Char(' ') | KeyCode::Enter => self.fold(),
            KeyCode::Char('s') => {
                self.folding.order = self.folding.order.next();
                let selected = self.task().map(|task| task.id);
                self.update(selected);
            }
            KeyCode::Char('f') => {
                self.followed = match self.followed {
                    Some(_) => None,
                    None => self.task().map(|task| task.id),
                };
            }
            KeyCode::Char('w') => self.go_to_holder(),
            _ => {}
        }
        true
    }

    /// Folds the selected row, or unfolds it.
    fn fold(&mut self) {
        let Some(&row) = self.rows.get(self.selected) else { return };
        let id = self.snapshot.tasks[row.task].id;
        let has_children = self.rows.get(self.selected + 1).is_some_and(|next| next.depth > row.depth);
        match row.folded {
            Some(true) if row.count > 1 => drop(self.folding.opened.insert(id)),
            Some(true) => drop(self.folding.folded.remove(&id)),
            Some(false) if has_children => drop(self.folding.folded.insert(id)),
            Some(false) => drop(self.folding.opened.remove(&id)),
            None => {}
        }
        self.update(Some(id));
    }

    /// Selects the task that holds what the selected one waits for.
    fn go_to_holder(&mut self) {
        let holder =
            self.task().and_then(|task| task.waits.iter().find_map(|wait| wait.holders.first().copied()));
        if holder.is_some() {
            self.update(holder);
        }
    }

    /// Draws the screen. Only the rows that are on it are looked at.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        let areas = Layout::vertical([
            Constraint::Length(2),
            Constraint::Min(3),
            Constraint::Length(6),
            Constraint::Length(1),
        ]);
        let [head, list, details, keys] = areas.areas(frame.area());
        frame.render_widget(Paragraph::new(self.head()), head);
        let height = usize::from(list.height).min(MOST_ROWS);
        self.top = self.top.clamp(self.selected.saturating_sub(height.saturating_sub(1)), self.selected);
        let lines: Vec<Line<'_>> =
            (self.top..self.rows.len()).take(height).map(|place| self.line(place)).collect();
        frame.render_widget(Paragraph::new(lines), list);
        let block =
            Block::bordered().title(if self.followed.is_some() { " followed " } else { " selected " });
        frame.render_widget(Paragraph::new(self.details()).wrap(Wrap { trim: true }).block(block), details);
        let help = "↑↓ select  space fold  w who holds it  f follow  s sort  q quit";
        frame.render_widget(Paragraph::new(help).style(Style::new().add_modifier(Modifier::DIM)), keys);
    }

    fn head(&self) -> Vec<Line<'_>> {
        let Snapshot { tasks, tick, next_deadline_in, outside, cycles, .. } = &self.snapshot;
        let stuck = tasks.iter().filter(|task| task.stuck).count();
        let next = next_deadline_in.map_or(String::new(), |next| format!(", next deadline in {next:.3} s"));
        let first = format!(
            "{} tasks, {stuck} stuck, {} of tasks that wait for each other; tick {tick}{next}; sorted by {}",
            tasks.len(),
            if cycles.len() == 1 { "1 circle".to_owned() } else { format!("{} circles", cycles.len()) },
            self.folding.order.name()
        );
        let second = match &self.error {
            Some(error) => Span::styled(error.as_str(), Style::new().fg(Color::Red)),
            None => Span::raw(outside.join("; ")),
        };
        vec![Line::from(first).style(Style::new().add_modifier(Modifier::BOLD)), Line::from(second)]
    }

    fn line(&self, place: usize) -> Line<'_> {
        let row = self.rows[place];
        let task = &self.snapshot.tasks[row.task];
        let sign = match row.folded {
            Some(true) => "▸ ",
            Some(false) => "▾ ",
            None => "  ",
        };
        let mark = match (task.futurelocked, task.stuck, task.is_cancelled()) {
            (true, ..) => Span::styled("! futurelock ", Style::new().fg(Color::Red)),
            (_, true, _) => Span::styled("! stuck ", Style::new().fg(Color::Red)),
            (_, _, true) => Span::styled("× cancelled ", Style::new().fg(Color::Yellow)),
            _ => Span::raw(""),
        };
        let count = if row.count > 1 { format!(" ×{}", row.count) } else { String::new() };
        let name = format!("{}{sign}{}{count} #{}  ", "  ".repeat(row.depth.min(20)), task.name, task.id);
        let measured = match (task.busy, task.steps) {
            (Some(busy), Some(steps)) => format!("{busy:.3} s in {steps} steps  "),
            _ => String::new(),
        };
        let style = match place == self.selected {
            true => Style::new().add_modifier(Modifier::REVERSED),
            false => Style::new(),
        };
        let dim = Style::new().add_modifier(Modifier::DIM);
        Line::from(vec![Span::raw(name), mark, Span::styled(measured, dim), Span::raw(task.doing())])
            .style(style)
    }

    fn details(&self) -> Vec<Line<'_>> {
        let Some(task) = self.task() else { return Vec::new() };
        let place =
            task.started_at.as_ref().map(|place| format!(", started at {}:{}", place.file, place.line));
        let age = task.age.map_or(String::new(), |age| format!(", {age:.1} s old"));
        let mut lines =
            vec![Line::from(format!("{} #{}{}{age}", task.name, task.id, place.unwrap_or_default()))];
        for wait in &task.waits {
            let ends = wait.ends_in.map_or(String::new(), |ends| format!(", until {ends:.3} s from now"));
            let limit =
                wait.deadline_in.map_or(String::new(), |limit| format!(", a deadline in {limit:.3} s"));
            let shield =
                wait.shielded_from.as_ref().map(|reason| format!(", in a shield; outside: {reason}"));
            lines.push(Line::from(format!("{}{ends}{limit}{}", wait.what, shield.unwrap_or_default())));
        }
        for scope in task.scopes.iter().filter(|scope| scope.cancelled || scope.shielded) {
            let shield = if scope.shielded { "shielded " } else { "" };
            let reason = scope.reason.as_deref().unwrap_or_default();
            lines.push(Line::from(format!("{shield}scope {reason}")));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::View;
    use crate::commands::tasks::rows::tests::snapshot;
    use ratatui::{Terminal, backend::TestBackend, crossterm::event::KeyCode};
    use std::time::{Duration, Instant};

    fn screen(view: &mut View) -> String {
        let mut terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn the_screen_has_the_tree_the_marks_and_the_selected_task() {
        let mut view = View::default();
        view.show(snapshot(&[
            (2, None, "main", 0.0),
            (3, Some(2), "stuck", 0.25),
            (4, Some(2), "free", 0.0),
        ]));
        view.key(KeyCode::Down);
        let text = screen(&mut view);
        for words in
            ["3 tasks, 1 stuck", "▾ main #2", "stuck #3  ! stuck 0.250 s in 3 steps  sleeping", "2.0 s old"]
        {
            assert!(text.contains(words), "{words} in {text}");
        }
        view.key(KeyCode::Home);
        view.key(KeyCode::Char(' '));
        assert!(!screen(&mut view).contains("free #4"));
        assert!(!view.key(KeyCode::Char('q')));
    }

    #[test]
    fn a_followed_task_stays_selected() {
        let mut view = View::default();
        view.show(snapshot(&[(2, None, "main", 0.0), (9, Some(2), "late", 0.0)]));
        view.key(KeyCode::Down);
        view.key(KeyCode::Char('f'));
        view.show(snapshot(&[(2, None, "main", 0.0), (5, Some(2), "new", 0.0), (9, Some(2), "late", 0.0)]));
        assert_eq!(view.task().unwrap().id, 9);
        assert!(screen(&mut view).contains("followed"));
    }

    #[test]
    fn a_screen_of_a_hundred_thousand_tasks_is_drawn_at_once() {
        let mut tasks = vec![(2, None, "main", 0.0)];
        tasks.extend((3..100_003).map(|id| (id, Some(2), if id % 2 == 0 { "even" } else { "odd" }, 0.0)));
        let mut view = View::default();
        view.show(snapshot(&tasks));
        assert_eq!(view.rows.len(), 3);
        view.key(KeyCode::Down);
        view.key(KeyCode::Char(' '));
        assert_eq!(view.rows.len(), 50_002);
        view.key(KeyCode::End);
        let begun = Instant::now();
        for _ in 0..20 {
            assert!(screen(&mut view).contains("odd #100001"));
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}

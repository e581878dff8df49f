// SPDX-License-Identifier: GPL-2.0

//! Names of allocation flags. Their bits differ between kernels, so the names come from the kernel
//! itself: the print format of the event kmem/mm_page_alloc lists them with C expressions for their
//! values, the largest sets first.

use std::iter::Peekable;

/// `__GFP_NOWARN` on all kernels since 4.19, for kernels that do not tell.
const NOWARN: u64 = 0x2000;

/// The names of allocation flags.
#[derive(Debug, Default)]
pub struct Names(Vec<(u64, String)>);

impl Names {
    /// Takes the names from a print format. Names whose value is not understood are left out.
    pub fn from_print_format(print: &str) -> Self {
        let mut names = Vec::new();
        let mut rest = print;

        while let Some(start) = rest.find('{') {
            rest = &rest[start + 1..];
            let Some(end) = rest.find('}') else { break };
            let entry = &rest[..end];
            rest = &rest[end..];
            let Some((expression, name)) = entry.rsplit_once(',') else {
                continue;
            };
            let name = name.trim().trim_matches('"');
            match evaluate(expression) {
                Some(value) if value != 0 => names.push((value, name.to_owned())),
                _ => {}
            }
        }
        Self(names)
    }

    /// Returns whether there are no names, so that flags are shown as numbers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the flags have `__GFP_NOWARN`: the kernel's log never reports the failure.
    pub fn nowarn(&self, flags: u64) -> bool {
        let bit = self
            .0
            .iter()
            .find(|(_, name)| name == "__GFP_NOWARN")
            .map_or(NOWARN, |&(value, _)| value);

        flags & bit != 0
    }

    /// Returns the value of a name, such as "__GFP_HIGH".
    pub fn value(&self, wanted: &str) -> Option<u64> {
        self.0
            .iter()
            .find(|(_, name)| name == wanted)
            .map(|&(value, _)| value)
    }

    /// Returns the flags as the kernel writes them, such as "GFP_ATOMIC|__GFP_NOWARN". Bits without
    /// a name are a number at the end.
    pub fn decode(&self, flags: u64) -> String {
        let mut left = flags;
        let mut parts = Vec::new();

        for (value, name) in &self.0 {
            if left & value == *value {
                parts.push(name.clone());
                left &= !value;
            }
        }
        if left != 0 || parts.is_empty() {
            parts.push(format!("{left:#x}"));
        }
        parts.join("|")
    }
}

/// Evaluates a C expression of numbers, casts, parentheses and bit operations. Returns nothing for
/// any other expression.
fn evaluate(expression: &str) -> Option<u64> {
    let tokens = tokens(expression)?;
    let mut parser = Parser(tokens.iter().peekable());
    let value = parser.binary(0)?;

    parser.0.next().is_none().then_some(value)
}

#[derive(Debug, PartialEq)]
enum Token {
    Number(u64),
    Word,
    Operator(&'static str),
}

const OPERATORS: [&str; 8] = ["<<", ">>", "|", "&", "~", "+", "(", ")"];

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();

    while let Some(first) = rest.chars().next() {
        if let Some(operator) = OPERATORS
            .iter()
            .find(|&&operator| rest.starts_with(operator))
        {
            tokens.push(Token::Operator(operator));
            rest = rest[operator.len()..].trim_start();
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let word = &rest[..end];

        if first.is_ascii_digit() {
            let digits = word.trim_end_matches(['u', 'U', 'l', 'L']);
            let number = match digits.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            tokens.push(Token::Number(number.ok()?));
        } else if end > 0 {
            tokens.push(Token::Word);
        } else {
            return None;
        }
        rest = rest[end..].trim_start();
    }
    Some(tokens)
}

struct Parser<'a, I: Iterator<Item = &'a Token>>(Peekable<I>);

impl<'a, I: Iterator<Item = &'a Token> + Clone> Parser<'a, I> {
    fn next_is(&mut self, operator: &str) -> bool {
        matches!(self.0.peek(), Some(Token::Operator(next)) if *next == operator)
    }

    /// The operators of a level bind weaker than those of the next level.
    fn binary(&mut self, level: usize) -> Option<u64> {
        const LEVELS: [&[&str]; 4] = [&["|"], &["&"], &["<<", ">>"], &["+"]];
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut value = self.binary(level + 1)?;

        while let Some(operator) = operators.iter().find(|operator| self.next_is(operator)) {
            self.0.next();
            let right = self.binary(level + 1)?;
            value = match *operator {
                "|" => value | right,
                "&" => value & right,
                "<<" => value.checked_shl(right.try_into().ok()?)?,
                ">>" => value.checked_shr(right.try_into().ok()?)?,
                _ => value.wrapping_add(right),
            };
        }
        Some(value)
    }

    fn unary(&mut self) -> Option<u64> {
        match self.0.next()? {
            Token::Number(number) => Some(*number),
            Token::Operator("~") => Some(!self.unary()?),
            Token::Operator("(") if self.0.peek() == Some(&&Token::Word) => {
                // A cast, such as "(unsigned long)".
                while self.0.peek() == Some(&&Token::Word) {
                    self.0.next();
                }
                self.close()?;
                self.unary()
            }
            Token::Operator("(") => {
                let value = self.binary(0)?;
                self.close()?;
                Some(value)
            }
            _ => None,
        }
    }

    fn close(&mut self) -> Option<()> {
        (self.0.next()? == &Token::Operator(")")).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{evaluate, Names};
    use proptest::prelude::*;

    #[test]
    fn expressions_of_the_kernel_are_evaluated() {
        assert_eq!(
            evaluate("(unsigned long)(((gfp_t)(0x400u|0x800u)) | ((gfp_t)0x40u))"),
            Some(0xc40)
        );
        assert_eq!(
            evaluate("( unsigned long)(( gfp_t)((((1UL))) << (13)))"),
            Some(0x2000)
        );
        // GFP_TRANSHUGE of Linux 6.18.
        let huge = "( unsigned long)(((((((( gfp_t)(((((1UL))) << (10))|((((1UL))) << (11)))) | \
            (( gfp_t)((((1UL))) << (6))) | (( gfp_t)((((1UL))) << (7))) | (( gfp_t)((((1UL))) << \
            (20)))) | (( gfp_t)((((1UL))) << (1)))) | (( gfp_t)((((1UL))) << (3))) | (( gfp_t)0)) | \
            (( gfp_t)((((1UL))) << (18))) | (( gfp_t)((((1UL))) << (19))) | (( gfp_t)((((1UL))) << \
            (13)))) & ~(( gfp_t)(((((1UL))) << (10))|((((1UL))) << (11))))) | (( gfp_t)((((1UL))) << \
            (10))))";
        assert_eq!(evaluate(huge), Some(0x1c_24ca));
        assert_eq!(evaluate("(0xffu & ~0xfu) + 1"), Some(0xf1));
        assert_eq!(evaluate("(gfp_t)(((1UL)) << (___GFP_DMA_BIT))"), None);
        assert_eq!(evaluate("sizeof(x)"), None);
        assert_eq!(evaluate("1 << 64"), None);
        assert_eq!(evaluate("(1"), None);
        assert_eq!(evaluate(""), None);
    }

    #[test]
    fn the_largest_sets_come_first() {
        let names = Names::from_print_format(
            "\"gfp_flags=%s\", (REC->gfp_flags) ? __print_flags(REC->gfp_flags, \"|\", \
             {(unsigned long)((gfp_t)(0x20u|0x800u)), \"GFP_ATOMIC\"}, \
             {(unsigned long)((gfp_t)0x20u), \"__GFP_HIGH\"}, \
             {(unsigned long)((gfp_t)0x2000u), \"__GFP_NOWARN\"}, {0, NULL} ) : \"none\"",
        );

        assert_eq!(names.decode(0x2820), "GFP_ATOMIC|__GFP_NOWARN");
        assert_eq!(names.decode(0x820 | (1 << 30)), "GFP_ATOMIC|0x40000000");
        assert_eq!(names.decode(0), "0x0");
        assert!(names.nowarn(0x2000) && !names.nowarn(0x820));
        assert!(Names::default().nowarn(0x2000));
        assert_eq!(Names::default().decode(0x820), "0x820");
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[(){},|~<&a-f0-9x\" ]{0,60}") {
            Names::from_print_format(&text).decode(0xfff);
        }
    }
}

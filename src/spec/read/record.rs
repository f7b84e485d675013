//! The macro that declares the records of the language.

/// Declares a record: its keys, their types, and how it is read. Unknown keys are reported with the nearest
/// known one; `x-…` keys are ignored.
///
/// `..field: Type` embeds another record, whose keys then stand in the same map. One that is only ever embedded has
/// no `as "…"`, its name in messages.
macro_rules! record {
    (@readable $name:ident $what:literal) => {
        impl $crate::spec::read::FromNode for $name {
            fn from_node(
                node: &$crate::spec::Node,
                at: $crate::spec::read::At<'_>,
                sink: &mut $crate::spec::Diagnostics,
            ) -> Option<Self> {
                let known = <Self as $crate::spec::read::Keys>::names();
                let entries = $crate::spec::read::map(node, $what, &known, sink)?;
                $crate::spec::read::refuse_unknown(entries, &known, $what, at, sink);
                Some(<Self as $crate::spec::read::Keys>::read(entries, &known, $what, at, sink))
            }

            fn schema(book: &mut $crate::spec::describe::Book) -> serde_json::Value {
                book.define(stringify!($name), |book| {
                    let mut record = $crate::spec::describe::Record::new(Self::COMMENT);
                    <Self as $crate::spec::read::Keys>::describe(&mut record, book);
                    record.finish()
                })
            }
        }
    };
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident $( as $what:literal )? {
            $( $(#[doc = $field_doc:literal])* $key:literal => $field:ident: $type:ty, )*
            $(
                ..$embedded:ident: $keys:ty,
                $( $(#[doc = $later_doc:literal])* $later_key:literal => $later:ident: $later_type:ty, )*
            )*
        }
        $( action => $action_field:ident )?
        $( optional action => $optional_field:ident )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            /// The place of its key.
            #[allow(dead_code, reason = "not every record is asked where it stands")]
            pub at: $crate::spec::Span,
            /// Whether something in it was reported: what it seems to lack may be that.
            #[allow(dead_code, reason = "not every record is asked")]
            pub faulty: bool,
            $( #[doc = concat!("The key `", $key, "`.")] $(#[doc = $field_doc])* pub $field: $type, )*
            $(
                #[doc = concat!("The keys of `", stringify!($keys), "`.")]
                pub $embedded: $keys,
                $( #[doc = concat!("The key `", $later_key, "`.")] $(#[doc = $later_doc])* pub $later: $later_type, )*
            )*
            $(
                /// What runs; `None` after a mistake.
                pub $action_field: Option<$crate::spec::model::Action>,
            )?
            $(
                /// What runs, if anything; `None` inside after a mistake.
                pub $optional_field: Option<$crate::spec::read::Required<$crate::spec::model::Action>>,
            )?
        }

        impl $crate::spec::read::Keys for $name {
            fn names() -> Vec<&'static str> {
                #[allow(unused_mut, reason = "not every record has more")]
                let mut names = vec![$($key),*];
                $(
                    names.extend(<$keys as $crate::spec::read::Keys>::names());
                    $( names.push($later_key); )*
                )*
                $( let _ = stringify!($action_field); names.extend($crate::spec::model::Action::names()); )?
                $( let _ = stringify!($optional_field); names.extend($crate::spec::model::Action::names()); )?
                names
            }

            fn read(
                entries: &[$crate::spec::node::Entry],
                known: &[&str],
                what: &str,
                at: $crate::spec::read::At<'_>,
                sink: &mut $crate::spec::Diagnostics,
            ) -> Self {
                let errors = sink.errors();
                $( let $action_field = $crate::spec::model::Action::of(entries, known, what, at, sink); )?
                $( let $optional_field = $crate::spec::model::Action::of_any(entries, known, what, at, sink); )?
                $( let $field = $crate::spec::read::field::<$type>(entries, $key, known, what, at, sink); )*
                $(
                    let $embedded = <$keys as $crate::spec::read::Keys>::read(entries, known, what, at, sink);
                    $( let $later = $crate::spec::read::field::<$later_type>(entries, $later_key, known, what, at, sink); )*
                )*
                $name {
                    at: at.span,
                    faulty: sink.errors() > errors || $crate::spec::read::is_faulty(entries, known),
                    $( $field, )*
                    $( $embedded, $( $later, )* )*
                    $( $action_field, )?
                    $( $optional_field, )?
                }
            }

            fn describe(record: &mut $crate::spec::describe::Record, book: &mut $crate::spec::describe::Book) {
                $( record.key::<$type>($key, concat!($($field_doc, "\n"),*), book); )*
                $(
                    <$keys as $crate::spec::read::Keys>::describe(record, book);
                    $( record.key::<$later_type>($later_key, concat!($($later_doc, "\n"),*), book); )*
                )*
                $( let _ = stringify!($action_field); record.actions(true, book); )?
                $( let _ = stringify!($optional_field); record.actions(false, book); )?
            }
        }

        $(
            $crate::spec::read::record!(@readable $name $what);
        )?
        $crate::spec::read::record!(@comment $name concat!($($doc, "\n"),*), $($what)?);
    };
    (@comment $name:ident $comment:expr, $what:literal) => {
        impl $name {
            const COMMENT: &'static str = $comment;
        }
    };
    (@comment $name:ident $comment:expr,) => {};
}
pub(crate) use record;

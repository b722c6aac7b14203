//! What programs can use of the library, as one reviewed text: nothing is added, changed or dropped unseen.
//!
//! It follows the sources from `lib.rs` on, through what is public and not hidden from the documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, Type, UseTree, Visibility};

/// A source file, with what its macros declare among its items.
struct Module {
    path: PathBuf,
    text: String,
    items: Vec<Item>,
}

struct Crate(Vec<Module>);

impl Crate {
    fn read() -> Self {
        let sources = super::layers::sources(Path::new("src")).into_iter();
        let rust = sources.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
        Crate(
            rust.map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                let items = syn::parse_file(&text).unwrap().items.into_iter().flat_map(declared).collect();
                Module { path, text, items }
            })
            .collect(),
        )
    }

    /// The file of a module: `["snapshot", "dns"]` is in `src/snapshot/dns.rs` or `src/snapshot/dns/mod.rs`.
    fn module(&self, path: &[String]) -> Option<&Module> {
        let folder = path.iter().fold(PathBuf::from("src"), |folder, name| folder.join(name));
        let files = match path {
            [] => [folder.join("lib.rs"), folder.join("lib.rs")],
            _ => [folder.with_extension("rs"), folder.join("mod.rs")],
        };
        self.0.iter().find(|module| files.contains(&module.path))
    }

    /// The item of a name in a module, wherever that re-exports it from, and the module that it is in.
    fn item(&self, path: &[String], name: &str) -> Option<(Vec<String>, Item)> {
        let module = self.module(path)?;
        if let Some(item) = module.items.iter().find(|item| name_of(item).is_some_and(|it| it == name)) {
            return Some((path.to_vec(), item.clone()));
        }
        let reexports = module.items.iter().filter_map(|item| match item {
            Item::Use(reexport) => Some(&reexport.tree),
            _ => None,
        });
        let found = reexports.flat_map(|tree| leaves(tree, path)).find(|leaf| leaf.shown == name)?;
        self.item(&found.module, &found.name)
    }

    /// What can be done with a type: its public methods, and the traits that it has beside derived ones.
    fn methods(&self, home: &[String], name: &str) -> (BTreeMap<String, String>, BTreeSet<String>) {
        let (mut methods, mut traits) = (BTreeMap::new(), BTreeSet::new());
        let full = format!("crate::{}::", home.join("::"));
        for module in &self.0 {
            let near = module.path.starts_with(Path::new("src").join(&home[0]))
                || module.path == Path::new("src").join(format!("{}.rs", home[0]));
            let imports = module.text.contains(&full) || module.text.contains(&format!("crate::{}::", home[0]));
            for item in module.items.iter().filter(|_| near || imports) {
                let Item::Impl(item) = item else { continue };
                if !is_of(item, name) {
                    continue;
                }
                if let Some((_, of, _)) = &item.trait_ {
                    traits.insert(of.to_token_stream().to_string().replace(' ', ""));
                    continue;
                }
                for member in &item.items {
                    let ImplItem::Fn(function) = member else { continue };
                    if is_public(&function.vis) && !is_hidden(&function.attrs) {
                        methods.insert(
                            function.sig.ident.to_string(),
                            spaced(&function.sig.to_token_stream().to_string()),
                        );
                    }
                }
            }
        }
        (methods, traits)
    }
}

/// A name that a `use` makes visible.
struct Leaf {
    module: Vec<String>,
    name: String,
    shown: String,
}

fn leaves(tree: &UseTree, here: &[String]) -> Vec<Leaf> {
    fn walk(tree: &UseTree, at: Vec<String>, here: &[String], found: &mut Vec<Leaf>) {
        match tree {
            UseTree::Path(path) => {
                let at = match path.ident.to_string().as_str() {
                    "self" => here.to_vec(),
                    "crate" => Vec::new(),
                    "super" => here.split_last().map_or_else(Vec::new, |(_, parents)| parents.to_vec()),
                    name => [at, vec![name.to_owned()]].concat(),
                };
                walk(&path.tree, at, here, found);
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                found.push(Leaf { module: at, shown: name.clone(), name });
            }
            UseTree::Rename(rename) => {
                let (name, shown) = (rename.ident.to_string(), rename.rename.to_string());
                found.push(Leaf { module: at, name, shown });
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, at.clone(), here, found)),
            UseTree::Glob(_) => panic!("a public `*` says nothing of what is public"),
        }
    }
    let mut found = Vec::new();
    walk(tree, Vec::new(), here, &mut found);
    found
}

/// An item, or those that a macro of this crate declares.
fn declared(item: Item) -> Vec<Item> {
    match &item {
        Item::Macro(call) if call.ident.is_none() => {
            let name = call.mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            match syn::parse2::<syn::File>(call.mac.tokens.clone()) {
                Ok(file) if name == "vocabulary" => file.items,
                _ => vec![item],
            }
        }
        _ => vec![item],
    }
}

fn name_of(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        _ => return None,
    })
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.to_token_stream().to_string().contains("doc (hidden)"))
}

fn is_of(item: &ItemImpl, name: &str) -> bool {
    match &*item.self_ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == name),
        _ => false,
    }
}

/// Tokens as a person writes them, near enough.
fn spaced(tokens: &str) -> String {
    let mut text = tokens.to_owned();
    for (from, to) in [
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        (" :: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        (" :", ":"),
        ("& ", "&"),
        (" ;", ";"),
        (" . ", "."),
    ] {
        text = text.replace(from, to);
    }
    text.replace(",)", ")").replace("-->", "->").replace("->", " -> ").replace("  ", " ")
}

fn fields(fields: &Fields) -> Vec<String> {
    let public = fields.iter().filter(|field| is_public(&field.vis) && !is_hidden(&field.attrs));
    public
        .map(|field| {
            let name = field.ident.as_ref().map_or_else(|| "0".to_owned(), ToString::to_string);
            format!("    {name}: {}", spaced(&field.ty.to_token_stream().to_string()))
        })
        .collect()
}

/// One item with all that is public in it, one per line.
fn shown(of: &Crate, home: &[String], item: &Item, name: &str) -> String {
    let (attributes, head, inner) = match item {
        Item::Const(item) => {
            return format!("const {name}: {}\n", spaced(&item.ty.to_token_stream().to_string()));
        }
        Item::Fn(item) => return format!("{}\n", spaced(&item.sig.to_token_stream().to_string())),
        Item::Type(item) => return format!("type {name} = {}\n", spaced(&item.ty.to_token_stream().to_string())),
        Item::Trait(_) => return format!("trait {name}\n"),
        Item::Struct(item) => (&item.attrs, "struct", fields(&item.fields)),
        Item::Enum(item) => {
            let variant = |variant: &syn::Variant| {
                let inner = spaced(&variant.fields.to_token_stream().to_string());
                format!("    {}{}", variant.ident, without_docs(&inner))
            };
            (&item.attrs, "enum", item.variants.iter().map(variant).collect())
        }
        other => panic!("{name} is of a kind that nobody thought of: {}", other.to_token_stream()),
    };
    let of_vocabulary = of.module(home).is_some_and(|module| {
        module.text.contains("vocabulary! {") && module.text.contains(&format!("    pub enum {name} {{"))
    });
    let has = |word: &str| attributes.iter().any(|attribute| attribute.path().is_ident(word));
    let grows = if has("non_exhaustive") || of_vocabulary { " (may grow)" } else { "" };
    let mut text = format!("{head} {name}{grows}\n");
    inner.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    let original = name_of(item).unwrap();
    let (methods, mut traits) = of.methods(home, &original);
    for derive in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        derive
            .parse_nested_meta(|meta| {
                traits.insert(spaced(&meta.path.to_token_stream().to_string()));
                Ok(())
            })
            .unwrap();
    }
    methods.values().for_each(|method| text.push_str(&format!("    {method}\n")));
    if of_vocabulary {
        text.push_str("    ALL, WORDS, about, word, from_word\n");
    }
    if !traits.is_empty() {
        text.push_str(&format!("    is {}\n", traits.into_iter().collect::<Vec<_>>().join(", ")));
    }
    text
}

/// Without comments, which are attributes to the parser: `#[doc = "…"]`.
fn without_docs(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(start) = text.find("# [") {
        let end = text[start..].find("\"]").or_else(|| text[start..].find(']')).unwrap();
        text.replace_range(start..start + end + 2, "");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Everything that a module shows, by its full name.
fn surface(of: &Crate, path: &[String], shows: &mut BTreeMap<String, String>) {
    let module = of.module(path).unwrap();
    let full = |name: &str| [&["stslint".to_owned()], path, &[name.to_owned()]].concat().join("::");
    for item in &module.items {
        match item {
            Item::Mod(inner) if is_public(&inner.vis) && !is_hidden(&inner.attrs) => {
                surface(of, &[path, &[inner.ident.to_string()]].concat(), shows);
            }
            Item::Use(reexport) if is_public(&reexport.vis) && !is_hidden(&reexport.attrs) => {
                for leaf in leaves(&reexport.tree, path) {
                    let (home, item) = of.item(&leaf.module, &leaf.name).unwrap_or_else(|| panic!("{}", leaf.name));
                    shows.insert(full(&leaf.shown), shown(of, &home, &item, &leaf.shown));
                }
            }
            Item::Const(syn::ItemConst { vis, attrs, .. })
            | Item::Enum(syn::ItemEnum { vis, attrs, .. })
            | Item::Fn(syn::ItemFn { vis, attrs, .. })
            | Item::Struct(syn::ItemStruct { vis, attrs, .. })
            | Item::Type(syn::ItemType { vis, attrs, .. })
                if is_public(vis) && !is_hidden(attrs) =>
            {
                let name = name_of(item).unwrap();
                shows.insert(full(&name), shown(of, path, item, &name));
            }
            _ => {}
        }
    }
}

#[test]
fn what_programs_can_use_is_as_it_was_reviewed() {
    let of = Crate::read();
    let mut shows = BTreeMap::new();
    surface(&of, &[], &mut shows);
    assert!(shows.len() > 40 && shows.contains_key("stslint::Linter"), "{:?}", shows.keys());
    let text: String =
        shows.iter().map(|(name, item)| format!("{name}\n  {}\n", item.trim_end().replace('\n', "\n  "))).collect();
    insta::assert_snapshot!("public_surface", text);
}

#[test]
fn what_may_grow_says_so() {
    let of = Crate::read();
    let mut shows = BTreeMap::new();
    surface(&of, &[], &mut shows);
    // Values that are what they are: octets, and types without a public field.
    let grown = |item: &str| {
        let mut lines = item.lines();
        let head = lines.next().unwrap_or_default();
        let open = lines.any(|line| line.starts_with("    ") && !line.contains('(') && line.contains(": "));
        !(head.starts_with("enum") || head.starts_with("struct") && open) || head.ends_with("(may grow)")
    };
    let closed: Vec<&str> = shows.iter().filter(|(_, item)| !grown(item)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(closed, ["stslint::snapshot::Octets"]);
}

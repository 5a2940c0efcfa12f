#[test_only]
/// The trees are those of the crypto library, which its own tests hold to the published vectors of RFC 6962.
module usufruct::merkle_tests;

use usufruct::{epoch_fixtures as fixtures, merkle};

#[test]
/// Trees of 1 to 17 leaves: every leaf at its place, and at no other.
fun a_leaf_is_in_its_place() {
    let (entries, roots, proofs) = trees();
    let mut size = 1;
    while (size <= 17) {
        let root = roots[size - 1];
        let mut i = 0;
        while (i < size) {
            let proof = &proofs[size - 1][i];
            assert!(merkle::includes(root, size, i, entries[i], proof));
            let mut j = 0;
            while (j < size + 2) {
                if (j != i) assert!(!merkle::includes(root, size, j, entries[i], proof));
                j = j + 1;
            };
            i = i + 1;
        };
        size = size + 1;
    };
}

#[test]
fun another_entry_or_root_is_not_proven() {
    let (entries, roots, proofs) = trees();
    assert!(!merkle::includes(roots[8], 9, 3, entries[4], &proofs[8][3]));
    assert!(!merkle::includes(roots[9], 9, 3, entries[3], &proofs[8][3]));
}

#[test]
fun a_proof_has_neither_too_little_nor_too_much() {
    let (entries, roots, proofs) = trees();
    let mut i = 0;
    while (i < 9) {
        let mut longer = proofs[8][i];
        longer.push_back(roots[0]);
        assert!(!merkle::includes(roots[8], 9, i, entries[i], &longer));
        let mut shorter = proofs[8][i];
        shorter.pop_back();
        assert!(!merkle::includes(roots[8], 9, i, entries[i], &shorter));
        i = i + 1;
    };
}

#[test]
/// The root of two leaves is no leaf of the tree that has it as a node: leaves and nodes have prefixes of their own.
fun a_node_is_no_leaf() {
    let (_, roots, proofs) = trees();
    let mut above = proofs[3][0];
    above.remove(0);
    assert!(!merkle::includes(roots[3], 2, 0, roots[1], &above));
}

#[test]
fun a_proof_of_another_size_fails() {
    let (entries, roots, proofs) = trees();
    let mut size = 1;
    while (size <= 17) {
        // In a tree of eight the third leaf has a path of three steps; of any size that has another, the proof fails.
        let same_path = size >= 5 && size <= 8;
        assert!(merkle::includes(roots[7], size, 2, entries[2], &proofs[7][2]) == same_path);
        size = size + 1;
    };
}

fun trees(): (vector<address>, vector<address>, vector<vector<vector<address>>>) {
    (fixtures::tree_entries(), fixtures::tree_roots(), fixtures::tree_proofs())
}

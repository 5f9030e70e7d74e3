"""What of TeX draws, and does nothing else.

A typesetter knows other commands, which set a style, link to an address or define more of them, so
what is not here is shown as it was written.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENVIRONMENTS = _names("""
equation equation* align align* aligned alignat alignat* alignedat gather gather* gathered
multline multline* eqnarray eqnarray* flalign flalign* matrix pmatrix bmatrix Bmatrix  vmatrix
Vmatrix smallmatrix cases array split subarray CD
""")

COMMANDS = _names("""
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu
nu xi omicron pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega digamma
Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega varGamma varDelta varTheta varLambda
varXi varPi varSigma varUpsilon varPhi varPsi varOmega aleph beth gimel daleth ell hbar hslash
imath jmath wp Re Im partial nabla infty emptyset varnothing complement mho eth Finv Game Bbbk
sum prod coprod int iint iiint oint bigcup bigcap bigsqcup bigvee bigwedge bigodot bigoplus
bigotimes biguplus limits nolimits displaylimits sin cos tan cot sec csc arcsin arccos arctan
sinh cosh tanh coth log ln lg exp min max sup inf lim limsup liminf varlimsup varliminf
varinjlim varprojlim injlim projlim arg argmax argmin deg det dim gcd hom ker Pr mod bmod pmod
pod operatorname pm mp times div cdot ast star circ bullet cap cup uplus sqcap sqcup vee wedge
lor land lnot neg setminus smallsetminus wr diamond bigtriangleup bigtriangledown triangleleft
triangleright lhd rhd unlhd unrhd oplus ominus otimes oslash odot bigcirc dagger ddagger amalg
dotplus ltimes rtimes boxplus boxminus boxtimes boxdot barwedge veebar curlywedge curlyvee
circledast circledcirc circleddash centerdot divideontimes intercal le leq ge geq ne neq ll gg
lll ggg leqslant geqslant leqq geqq lesssim gtrsim lessgtr gtrless equiv sim simeq approx
approxeq cong propto varpropto doteq triangleq coloneqq eqqcolon prec succ preceq succeq
precsim succsim subset supset subseteq supseteq subsetneq supsetneq subseteqq supseteqq
sqsubset sqsupset sqsubseteq sqsupseteq in ni notin owns mid nmid parallel nparallel perp
models vdash dashv vDash Vdash nvdash nvDash bowtie Join smile frown asymp between pitchfork
therefore because not nleq ngeq nless ngtr nsubseteq nsupseteq nsim ncong nprec nsucc
vartriangle trianglelefteq trianglerighteq colon to gets leftarrow rightarrow leftrightarrow
Leftarrow Rightarrow Leftrightarrow uparrow downarrow updownarrow Uparrow Downarrow Updownarrow
mapsto longmapsto longleftarrow longrightarrow longleftrightarrow Longleftarrow Longrightarrow
Longleftrightarrow implies impliedby iff hookleftarrow hookrightarrow leftharpoonup
leftharpoondown rightharpoonup rightharpoondown rightleftharpoons leftrightharpoons leadsto
rightsquigarrow nearrow searrow swarrow nwarrow twoheadrightarrow twoheadleftarrow
rightarrowtail leftarrowtail nrightarrow nleftarrow nRightarrow nLeftarrow curvearrowright
curvearrowleft circlearrowleft circlearrowright rightrightarrows leftleftarrows rightleftarrows
leftrightarrows multimap xrightarrow xleftarrow overrightarrow overleftarrow overleftrightarrow
left right middle big Big bigg Bigg bigl Bigl biggl Biggl bigr Bigr biggr Biggr bigm Bigm biggm
Biggm langle rangle lfloor rfloor lceil rceil lvert rvert lVert rVert vert Vert lbrace rbrace
lbrack rbrack lgroup rgroup lmoustache rmoustache ulcorner urcorner llcorner lrcorner backslash
frac dfrac tfrac cfrac sqrt root of over atop choose binom dbinom tbinom stackrel overset
underset substack overline underline overbrace underbrace overparen underparen boxed phantom
hphantom vphantom smash prime backprime tag notag nonumber hline hdashline cancel bcancel
xcancel sideset hat widehat check widecheck tilde widetilde acute grave dot ddot dddot ddddot
breve bar vec mathring text textbf textit textrm textsf texttt textnormal mbox mathrm mathbf
mathit mathsf mathtt mathcal mathbb mathfrak mathscr mathnormal boldsymbol bm pmb rm bf it sf
tt cal frak scr Bbb displaystyle textstyle scriptstyle scriptscriptstyle mathbin mathrel mathop
mathord mathopen mathclose mathpunct mathinner tiny scriptsize small normalsize large Large
LARGE huge Huge quad qquad thinspace medspace thickspace negthinspace enspace space
nobreakspace cr newline dots ldots cdots vdots ddots dotsb dotsc dotsi dotsm dotso forall
exists nexists top bot angle measuredangle sphericalangle triangle square Box Diamond
blacksquare lozenge blacklozenge bigstar clubsuit diamondsuit heartsuit spadesuit flat natural
sharp surd checkmark maltese degree S P copyright pounds yen circledR LaTeX TeX
""")

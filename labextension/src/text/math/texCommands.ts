/**
 * The TeX commands that a formula of a reply may use: those that say what is to be seen.
 *
 * Others name addresses, elements and attributes (`\\mmlToken{mglyph}[src=…]` fetches a picture
 * before anybody could look at it), or change what commands mean for all that comes after them.
 */

const COMMANDS = new Set(
  `
  above abovewithdelims abs acute aleph alpha amalg And angle approx approxeq arccos arcsin arctan
  arg array Arrowvert arrowvert ast asymp atop atopwithdelims backepsilon backprime backsim
  backsimeq backslash bar barwedge Bbb Bbbk bbFont bcancel because begin beta beth between bf Big
  big bigcap bigcirc bigcup Bigg bigg Biggl biggl Biggm biggm Biggr biggr Bigl bigl Bigm bigm
  bigodot bigoplus bigotimes Bigr bigr bigsqcup bigstar bigtriangledown bigtriangleup biguplus
  bigvee bigwedge binom blacklozenge blacksquare blacktriangle blacktriangledown blacktriangleleft
  blacktriangleright bmod boldsymbol bot bowtie Box boxdot boxed boxminus boxplus boxtimes Bra bra
  brace bracevert brack Braket braket breve buildrel bullet Bumpeq bumpeq cal cancel cancelto Cap
  cap cases cdot cdotp cdots ce centerdot centernot centerOver cfrac check checkmark chi choose
  circ circeq circlearrowleft circlearrowright circledast circledcirc circleddash circledR
  circledS clubsuit colon coloneqq color colorbox complement cong coprod cos cosh cot coth cr
  cross csc Cup cup curlyeqprec curlyeqsucc curlyvee curlywedge curvearrowleft curvearrowright
  dagger daleth dashleftarrow dashrightarrow dashv dbinom dcases dd ddagger ddddot dddot ddot
  ddots deg Delta delta det dfrac diagdown diagup Diamond diamond diamondsuit digamma dim
  displaylines displaystyle div divideontimes divsymbol dot Doteq doteq doteqdot dotplus dots
  dotsb dotsc dotsi dotsm dotso doublebarwedge doublecap doublecup Downarrow downarrow
  downdownarrows downharpoonleft downharpoonright dv ell emptyset end enspace epsilon eqalign
  eqalignno eqcirc eqqcolon eqref eqsim eqslantgtr eqslantless equiv eta eth exists exp
  fallingdotseq fbox fcolorbox Finv flat forall frac frak framebox frown Game Gamma gamma gcd ge
  genfrac geq geqq geqslant gets gg ggg gggtr gimel gnapprox gneq gneqq gnsim grave gt gtrapprox
  gtrdot gtreqless gtreqqless gtrless gtrsim gvertneqq hat hbar hbox hdashline heartsuit hfil
  hfill hfilll hline hom hookleftarrow hookrightarrow hphantom hskip hslash hspace Huge huge
  idotsint iff iiiint iiint iint Im imath impliedby implies in inf infty injlim int intercal intop
  iota it jmath Join kappa ker kern Ket ket Ketbra ketbra label Lambda lambda land langle LARGE
  Large large LaTeX lbrace lbrack lceil ldotp ldots le leadsto left Leftarrow leftarrow
  leftarrowtail leftharpoondown leftharpoonup leftleftarrows Leftrightarrow leftrightarrow
  leftrightarrows leftrightharpoons leftrightsquigarrow leftroot leftthreetimes leq leqalignno
  leqq leqslant lessapprox lessdot lesseqgtr lesseqqgtr lessgtr lesssim lfloor lg lgroup lhd lim
  liminf limits limsup ll llap llcorner Lleftarrow lll llless lmoustache ln lnapprox lneq lneqq
  lnot lnsim log Longleftarrow longleftarrow Longleftrightarrow longleftrightarrow
  longleftrightarrows longLeftrightharpoons longmapsto Longrightarrow longrightarrow
  longRightleftharpoons longrightleftharpoons looparrowleft looparrowright lor lower lozenge
  lrcorner Lsh lt ltimes lVert lvert lvertneqq maltese mapsto mathbb mathbf mathbfcal mathbffrak
  mathbfit mathbfscr mathbfsf mathbfsfit mathbfsfup mathbfup mathbin mathcal mathchoice mathclap
  mathclose mathfrak mathinner mathit mathllap mathnormal mathop mathopen mathord mathpunct
  mathrel mathring mathrlap mathrm mathscr mathsf mathsfit mathsfup mathstrut mathtt mathup matrix
  max mbox measuredangle mho mid middle min mit mkern mod models moveleft moveright mp mskip
  mspace mu multimap nabla natural ncong ne nearrow neg negmedspace negthickspace negthinspace neq
  newline nexists ngeq ngeqq ngeqslant ngtr ni nLeftarrow nleftarrow nLeftrightarrow
  nleftrightarrow nleq nleqq nleqslant nless nmid nobreakspace nolimits nonscript nonumber norm
  normalsize not notag notChar notin nparallel nprec npreceq nRightarrow nrightarrow nshortmid
  nshortparallel nsim nsubseteq nsubseteqq nsucc nsucceq nsupseteq nsupseteqq ntriangleleft
  ntrianglelefteq ntriangleright ntrianglerighteq nu nVDash nVdash nvDash nvdash nwarrow odot oint
  oldstyle Omega omega omicron ominus operatorname oplus oslash otimes over overbrace overbracket
  overleftarrow overleftrightarrow overline overparen overrightarrow overset overunderset
  overwithdelims owns parallel partial pdv perp phantom Phi phi Pi pi pitchfork pm pmatrix pmb
  pmod pod Pr prec precapprox preccurlyeq preceq precnapprox precneqq precnsim precsim prescript
  prime prod projlim propto Psi psi pu qquad qty quad raise rangle rbrace rbrack rceil Re ref
  restriction rfloor rgroup rhd rho right Rightarrow rightarrow rightarrowtail rightharpoondown
  rightharpoonup rightleftarrows rightleftharpoons rightrightarrows rightsquigarrow
  rightthreetimes risingdotseq rlap rm rmoustache root Rrightarrow Rsh rtimes rule rVert rvert S
  scr scriptscriptstyle scriptsize scriptstyle searrow sec Set set setminus sf sharp shortmid
  shortparallel shoveleft shoveright sideset Sigma sigma sim simeq sin sinh skew small smallfrown
  smallint smallsetminus smallsmile smash smile space spadesuit sphericalangle sqcap sqcup sqrt
  sqsubset sqsubseteq sqsupset sqsupseteq square stackbin stackrel star strut Subset subset
  subseteq subseteqq subsetneq subsetneqq substack succ succapprox succcurlyeq succeq succnapprox
  succneqq succnsim succsim sum sup Supset supset supseteq supseteqq supsetneq supsetneqq surd
  swarrow symbb symbf symbfcal symbffrak symbfit symbfscr symbfsf symbfsfit symbfsfup symbfup
  symcal symfrak symit symnormal symrm symscr symsf symsfit symsfup symtt symup tag tan tanh tau
  tbinom TeX text textbf textcolor textit textnormal textrm textsc textsf textstyle texttt textup
  tfrac therefore Theta theta thickapprox thicksim thinspace tilde times Tiny tiny to top Tr tr
  triangle triangledown triangleleft trianglelefteq triangleq triangleright trianglerighteq
  tripledash tt twoheadleftarrow twoheadrightarrow ulcorner underbrace underbracket underleftarrow
  underleftrightarrow underline underparen underrightarrow underset unlhd unrhd Uparrow uparrow
  Updownarrow updownarrow upharpoonleft upharpoonright uplus uproot Upsilon upsilon upuparrows
  urcorner varDelta varepsilon varGamma varinjlim varkappa varLambda varliminf varlimsup
  varnothing varOmega varPhi varphi varPi varpi varprojlim varpropto varPsi varrho varSigma
  varsigma varsubsetneq varsubsetneqq varsupsetneq varsupsetneqq varTheta vartheta vartriangle
  vartriangleleft vartriangleright varUpsilon varXi vb vcenter Vdash vDash vdash vdot vdots vec
  vee veebar Vert vert vphantom Vvdash wedge widehat widetilde wp wr xcancel Xi xi xleftarrow
  xleftrightarrow xLeftrightharpoons xlongequal xmapsto xrightarrow xRightleftharpoons
  xrightleftharpoons xtofrom xtwoheadleftarrow xtwoheadrightarrow yen zeta
`.split(/\s+/)
);

/** Tell whether a formula can be typeset: it names nothing but what is to be seen. */
export function isHarmless(tex: string): boolean {
  for (const [, name] of tex.matchAll(/\\(?:([a-zA-Z]+)|[^])/g)) {
    if (name !== undefined && !COMMANDS.has(name)) {
      return false;
    }
  }
  return true;
}
